#!/bin/bash
# Makes EPUB, Word and two PDFs of each plain text book given, with the tools that people use: pandoc, LibreOffice, Chromium.
#   bench/documents/convert.sh FOLDER BOOK.txt…
set -eu
out=$1
shift
mkdir -p "$out"
for book in "$@"; do
  name=$(basename "$book" .txt)
  # Paragraphs as they stand; lines that name a chapter become headings.
  awk -v RS= 'BEGIN { print "<!doctype html><html lang=en><head><meta charset=utf-8><title>Book</title></head><body>" }
    { gsub(/\r/, ""); gsub(/&/, "\\&amp;"); gsub(/</, "\\&lt;"); gsub(/>/, "\\&gt;")
      tag = $0 ~ /^(CHAPTER|Chapter|BOOK|PART|VOLUME)/ && length($0) < 80 ? "h2" : "p"
      print "<" tag ">" $0 "</" tag ">" }
    END { print "</body></html>" }' <(sed -e '1s/^\xEF\xBB\xBF//' -e 's/^[ \t\r]*$//' "$book") > "$out/$name.html"
  cp "$book" "$out/$name.txt"
  pandoc "$out/$name.html" --metadata title="$name" -o "$out/$name.epub"
  pandoc "$out/$name.html" -o "$out/$name.docx"
  (cd "$out" && soffice --headless --convert-to pdf "$name.docx" > /dev/null && mv "$name.pdf" "$name.office.pdf")
  chromium --headless --no-sandbox --no-pdf-header-footer --print-to-pdf="$out/$name.chromium.pdf" "file://$(realpath "$out/$name.html")" > /dev/null 2>&1
done
