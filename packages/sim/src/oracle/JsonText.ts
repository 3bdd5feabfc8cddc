/**
 * JSON as text, for the oracle: `JSON.parse` says whether it is JSON, and one pass over the characters finds what each
 * member of an object was written as.
 */

/** How deep a record may nest arrays and objects. */
const depthMax = 128

/** Undefined when the bytes are not UTF-8. A byte order mark stays in the text, where it is no JSON. */
export const textOf = (bytes: Uint8Array): string | undefined => {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    return undefined
  }
}

const depthOf = (value: unknown): number => {
  if (typeof value !== "object" || value === null) return 0
  return 1 + Object.values(value).reduce((deepest: number, each) => Math.max(deepest, depthOf(each)), 0)
}

/** Undefined when the text is not JSON, or nests too deep. */
export const jsonOf = (text: string): { readonly value: unknown } | undefined => {
  try {
    const value: unknown = JSON.parse(text)
    return depthOf(value) > depthMax ? undefined : { value }
  } catch {
    return undefined
  }
}

/**
 * The members of an object's text: names decoded, values as written. A name that occurs again keeps its first place and
 * takes its last value, as `JSON.parse` does. Only for text that is JSON.
 */
export const membersOf = (text: string): ReadonlyMap<string, string> => {
  const members = new Map<string, string>()
  const tokens = text.match(/"(?:[^"\\]|\\.)*"|[{}[\],:]|[^\s{}[\],:"]+|\s+/g) ?? []
  let depth = 0
  let name: string | undefined
  let value = ""
  for (const token of tokens) {
    const closing = token === "}" || token === "]"
    if (closing) depth--
    const ends = (token === "," && depth === 1) || (closing && depth === 0)
    if (ends && name !== undefined) {
      members.set(name, value.trim())
      name = undefined
      value = ""
    } else if (depth === 1 && name === undefined) {
      if (token.startsWith('"')) name = String(JSON.parse(token))
    } else if (name !== undefined && !(token === ":" && depth === 1)) value += token
    if (token === "{" || token === "[") depth++
  }
  return members
}
