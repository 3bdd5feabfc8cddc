/** An identifier of SQL, quoted; a table may be `schema.table`. */
export const quoted = (name: string): string =>
  name
    .split(".")
    .map((part) => `"${part.replaceAll('"', '""')}"`)
    .join(".")
