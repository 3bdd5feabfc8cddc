/**
 * What compiled code needs from its surroundings: where a field's value is, and names for constants.
 *
 * The engine composes generated loops: it gives the compiler a `FieldAccess` (over columns, over record objects, over
 * values computed before) and one `CodeScope` per generated function, then hands the scope's values to that function.
 */

/** JavaScript source text for the value of a field in the current row. Pure: it may be evaluated more than once. */
export interface FieldAccess {
  /** A Timestamp (epoch ms, fraction = microseconds), Int, Double or Date (days): a number, NaN when null. */
  readonly number: (name: string) => string
  /** A Decimal, unscaled: a number up to 2^53 − 1, else a bigint; NaN when null. */
  readonly unscaled: (name: string) => string
  /** 0, 1, or 2 when null. */
  readonly boolean: (name: string) => string
  /** A string, or null. */
  readonly text: (name: string) => string
  /** A JavaScript condition: the text is not null and equals the literal. */
  readonly textEquals: (name: string, literal: string) => string
  readonly isNull: (name: string) => string
  /** A JavaScript condition: the text is not null and its UTF-8 bytes pass the test. Only where texts are at hand as bytes. */
  readonly bytesPass?: (name: string, test: BytesTest) => string
}

/** Asks the text that stands in `bytes` from `start` to `end`. */
export type BytesTest = (bytes: Uint8Array, start: number, end: number) => boolean

/** Values that generated code refers to by name. */
export interface CodeScope {
  /** The identifier that is bound to the value; the same one for the same value. */
  readonly constant: (value: unknown) => string
}

/** A scope and what it has named, to be passed to the generated function: `new Function(...names, code)(...values)`. */
export interface CollectingScope extends CodeScope {
  readonly names: ReadonlyArray<string>
  readonly values: ReadonlyArray<unknown>
}

export const makeCodeScope = (): CollectingScope => {
  const known = new Map<unknown, string>()
  const names: Array<string> = []
  const values: Array<unknown> = []
  const constant = (value: unknown) => {
    const bound = known.get(value)
    if (bound !== undefined) return bound
    const name = `k${names.length}`
    known.set(value, name)
    names.push(name)
    values.push(value)
    return name
  }
  return { constant, names, values }
}
