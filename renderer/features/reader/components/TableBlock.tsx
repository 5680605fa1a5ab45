/** Rows of a document's table: cells are separated as they are in the text, by tabs or by bars. */
import { useMemo } from 'react';

export function TableBlock({ content }: { content: string }) {
  const rows = useMemo(() => {
    const separator = content.includes('\t') ? '\t' : ' | ';
    return content.split('\n').map((row) => row.split(separator));
  }, [content]);
  return (
    <table className="border-collapse font-sans text-small tabular-nums">
      <tbody>
        {rows.map((cells, row) => (
          // oxlint-disable-next-line react/no-array-index-key -- rows never move
          <tr key={row} className="border-b border-line last:border-0">
            {cells.map((cell, column) => (
              // oxlint-disable-next-line react/no-array-index-key -- nor do their cells
              <td key={column} className="max-w-80 px-2 py-0.5 align-top first:pl-0">
                {cell}
              </td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  );
}
