/** The titles of a table's columns, in their order. */
export function ColumnHeads({ titles }: { titles: Readonly<Record<string, string>> }) {
  return (
    <thead>
      <tr>
        {Object.entries(titles).map(([name, title]) => (
          <th key={name} scope="col">
            {title}
          </th>
        ))}
      </tr>
    </thead>
  );
}
