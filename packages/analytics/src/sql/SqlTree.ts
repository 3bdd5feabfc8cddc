/**
 * The tree that DuckDB's `json_serialize_sql` gives, read without rounding a number.
 *
 * Pure. Kinds of nodes are DuckDB's; `CheckTree.ts` knows which may be in a query.
 */

export type Tree = null | boolean | number | bigint | string | ReadonlyArray<Tree> | TreeObject
export interface TreeObject {
  readonly [key: string]: Tree
}

export const isObject = (tree: Tree | undefined): tree is TreeObject =>
  typeof tree === "object" && tree !== null && !Array.isArray(tree)

export const textAt = (node: TreeObject, key: string): string => {
  const value = node[key]
  return typeof value === "string" ? value : ""
}

/** What DuckDB writes where it has no place. */
const noPlace = 2 ** 63

/** In bytes of the parsed text. */
export const placeAt = (node: TreeObject): number | undefined => {
  const place = node["query_location"]
  return typeof place === "number" && place < noPlace ? place : undefined
}

/** A statement that was parsed, or why not. `position` is in code points. */
export type Parsed =
  | { readonly _tag: "Statements"; readonly statements: ReadonlyArray<TreeObject> }
  | { readonly _tag: "Wrong"; readonly kind: string; readonly message: string; readonly position: number | undefined }

/** Integers beyond 53 bits come as bigint. */
const exactNumbers = (_key: string, value: unknown, context?: { readonly source: string }): unknown =>
  typeof value === "number" && !Number.isSafeInteger(value) && context !== undefined && /^-?\d+$/.test(context.source)
    ? BigInt(context.source)
    : value

/** Reads the JSON text. A text that is none, or nested beyond what can be read, throws. */
export const readTree = (json: string): Parsed => {
  // JSON.parse gives nothing else
  const parsed = JSON.parse(json, exactNumbers) as Tree
  if (!isObject(parsed)) throw new TypeError("the parser gave no object")
  if (parsed["error"] === true) {
    const position = parsed["position"]
    return {
      _tag: "Wrong",
      kind: textAt(parsed, "error_type"),
      message: textAt(parsed, "error_message"),
      position: typeof position === "string" ? Number(position) : undefined
    }
  }
  const statements = parsed["statements"]
  return { _tag: "Statements", statements: Array.isArray(statements) ? statements.filter(isObject) : [] }
}

/** Equal but for places and for what the keys `except` name. */
export const sameTree = (a: Tree, b: Tree, except: ReadonlySet<string>): boolean => {
  if (Array.isArray(a) && Array.isArray(b)) {
    return a.length === b.length && a.every((each, index) => sameTree(each, b[index] ?? null, except))
  }
  if (isObject(a) && isObject(b)) {
    const keys = Object.keys(a)
    if (keys.length !== Object.keys(b).length) return false
    return keys.every(
      (key) =>
        key in b && (key === "query_location" || except.has(key) || sameTree(a[key] ?? null, b[key] ?? null, except))
    )
  }
  return a === b
}
