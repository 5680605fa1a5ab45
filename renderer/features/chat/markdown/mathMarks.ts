/**
 * Models write maths as \(…\), \[…\], $…$ and $$…$$; the markdown parser knows the dollars only, and takes prices for
 * maths. This rewrites the first two into dollars, puts $$…$$ that has a line to itself on lines of its own, and
 * escapes dollars that cannot enclose maths: as pandoc has it, the first one stands before, the second one after a
 * character that is no space, and no digit follows it. Code stays as it is.
 */
const pieces =
  // A fence to its end, or to the end of the text; a code span; an escaped sign; the kinds of maths; a dollar.
  /(^[ \t]*(`{3,}|~{3,})[^\n]*\n[\s\S]*?(?:^[ \t]*\2[`~]*[ \t]*$|(?![\s\S])))|((`+)(?!`)[\s\S]*?[^`]\4(?!`))|\\\[([\s\S]+?)\\\]|\\\(([\s\S]+?)\\\)|(\\[\s\S])|\$\$([\s\S]+?)\$\$|\$(?=\S)((?:[^$\\\n]|\\.)*?[^\s\\$]|[^\s\\$])\$(?!\d)|(\$)/gm;

export function withMathMarks(source: string): string {
  if (!/[$\\]/.test(source)) return source;
  return source.replaceAll(pieces, (whole: string, fence, _mark, span, _ticks, bracket, parenthesis, escaped, display, inline, dollar, offset: number) => {
    if (fence !== undefined || span !== undefined || escaped !== undefined) return whole;
    if (bracket !== undefined || display !== undefined) return displayed((bracket ?? display) as string, source, offset, whole.length);
    if (parenthesis !== undefined) return `$${(parenthesis as string).trim()}$`;
    return inline !== undefined ? whole : dollar === undefined ? whole : '\\$';
  });
}

/** In the middle of a sentence it stays there: the parser shows $$…$$ on one line as part of the line. */
function displayed(maths: string, source: string, offset: number, length: number): string {
  const before = source.slice(source.lastIndexOf('\n', offset - 1) + 1, offset);
  const after = source.slice(offset + length).split('\n', 1)[0];
  if (before.trim() !== '' || after.trim() !== '') return `$$${maths.trim().replaceAll('\n', ' ')}$$`;
  return `$$\n${before}${maths.trim()}\n${before}$$`;
}
