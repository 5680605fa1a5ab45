#!/bin/bash
# Makes the documents that host/documents/formats.test.ts reads, with the tools people make such documents with:
# pandoc (EPUB, Word, HTML, PowerPoint), LibreOffice (PDF, Excel, PowerPoint) and Chromium's print to PDF. Where the
# words of a PDF are is measured by poppler (pdftotext -bbox).
set -eu
cd "$(dirname "$0")"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# The first chapter of the sample book, with what books do not have: a list, a table, code and a quotation.
{
  echo '# Alice’s Adventures in Wonderland'
  echo
  echo '## Chapter I. Down the Rabbit-Hole'
  echo
  sed -n '/^Alice was beginning/,/^down its head to keep back the wandering hair/p' ../../../assets/sample/alice-in-wonderland-chapter-1.txt | head -150 | sed -e 's/\*/\\*/g' -e 's/_/\\_/g'
  cat <<'END'

## What she met

- a White Rabbit with pink eyes
- a bottle that said “DRINK ME”
    - it had no “poison” on it
- a cake

1. down the hole
2. through the door

| Thing  | Height |
|--------|--------|
| Alice  | ten inches |
| the door | fifteen inches |

> Curiouser and curiouser!

    if (bottle.label === 'poison') leave(bottle);
    else drink(bottle);

## The end of it

So she set to work, and very soon finished off the cake. — Naïve café, £5, 3½ “quoted”, Привет, Ελληνικά.
END
} > alice.md
# The known text: the words of the source without its marks.
pandoc alice.md -t plain --wrap=none -o alice.txt

pandoc alice.md --metadata title='Alice' --metadata lang=en -o alice.epub
pandoc alice.md --metadata title='Alice' -o alice.docx
pandoc alice.md --metadata title='Alice' --metadata lang=en -s -o alice.html
soffice --headless --convert-to pdf --outdir "$work" alice.docx > "$work/log"
mv "$work/alice.pdf" office.pdf
chromium --headless --no-sandbox --no-pdf-header-footer --print-to-pdf=chromium.pdf "file://$PWD/alice.html" > "$work/log" 2>&1
# Every fifth word, as: page left top right bottom word.
for pdf in office chromium; do
  pdftotext -bbox "$pdf.pdf" - | sed -nE -e 's/.*<page .*/page/p' -e 's/.*xMin="([0-9.]+)" yMin="([0-9.]+)" xMax="([0-9.]+)" yMax="([0-9.]+)">([^<]*)<.*/\1 \2 \3 \4 \5/p' |
    awk '/^page$/ { page += 1; next } { word += 1 } word % 5 == 0 { printf "%d %.1f %.1f %.1f %.1f %s\n", page, $1, $2, $3, $4, $5 }' > "$pdf.words.txt"
done

cat > sales.csv <<'END'
Item,Sold on,Count,Price,Paid
Teapots,2024-02-29,3,12.5,TRUE
"Cups, blue",2024-12-31,40,0.3,FALSE
Naïve spoons,1999-01-01,1200,1e-3,TRUE
END
soffice --headless --infilter=CSV:44,34,76 --convert-to xlsx --outdir . sales.csv > "$work/log"
cat > "$work/slides.md" <<'END'
% A Mad Tea-Party
% Lewis Carroll

# The table

- The Hatter
- The March Hare
    - asleep: the Dormouse

::: notes
Say that it is always six o’clock.
:::

# Times

| Who    | When |
|--------|------|
| Hatter | six  |
| Hare   | March |
END
pandoc "$work/slides.md" -o slides.pptx
