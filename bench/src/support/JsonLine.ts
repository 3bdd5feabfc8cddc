/** An object as one line of JSON whose bigints are numbers with all their digits. */
export const jsonLine = (fields: Readonly<Record<string, unknown>>): string => {
  const members = Object.entries(fields)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${JSON.stringify(name)}:${jsonOf(value)}`)
  return `{${members.join(",")}}`
}

const jsonOf = (value: unknown): string => {
  if (typeof value === "bigint") return value.toString()
  if (Array.isArray(value)) return `[${value.map(jsonOf).join(",")}]`
  return JSON.stringify(value)
}
