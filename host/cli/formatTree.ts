/** Any JSON value as indented lines, for people. */
export function formatTree(value: unknown, indent = '  '): string {
  if (typeof value !== 'object' || value === null) return `${indent}${formatLeaf(value)}\n`;
  const entries: [string, unknown][] = Array.isArray(value) ? value.map((item, index) => [String(index + 1), item]) : Object.entries(value);
  return entries
    .map(([name, item]) =>
      typeof item === 'object' && item !== null
        ? `${indent}${name}\n${formatTree(item, `${indent}  `)}`
        : `${indent}${name}: ${formatLeaf(item)}\n`,
    )
    .join('');
}

function formatLeaf(value: unknown): string {
  if (typeof value === 'number' && !Number.isInteger(value)) return value.toPrecision(4);
  return String(value);
}
