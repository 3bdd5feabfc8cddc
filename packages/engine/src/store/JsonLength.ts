/** About how long a value's JSON is: what a cache takes for it, without writing the text. */
export const jsonLength = (value: unknown): number => {
  if (typeof value === "string") return value.length + 2
  if (typeof value !== "object" || value === null) return 8
  let length = 2
  if (Array.isArray(value)) {
    for (const item of value) length += jsonLength(item) + 1
    return length
  }
  // plain JSON: its own fields
  for (const [field, item] of Object.entries(value)) length += field.length + 4 + jsonLength(item)
  return length
}
