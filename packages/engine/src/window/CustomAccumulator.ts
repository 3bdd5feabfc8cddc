/**
 * Aggregates of somebody's own: state by their functions, durable by their schema.
 *
 * Part of `Accumulator.ts`. `add` may throw: the stage sends the record to the dead letter, and the state stays.
 */
import { Result, Schema } from "effect"
import { StateShapeError } from "../state/OperatorState.ts"
import type { Accumulator } from "./Accumulator.ts"
import type { AggregateDeclaration } from "./Aggregate.ts"
import type { Cells } from "./Cells.ts"

/** Undefined, a state is not there; its own value may be undefined. */
interface Held {
  readonly state: unknown
}

export const customAccumulator = (
  declaration: Extract<AggregateDeclaration, { readonly kind: "custom" }>,
  cell: number
): Accumulator => {
  const { add, initial, merge, name, result, schema } = declaration.definition
  // whatever the schema's values are, JSON holds them: bigints, dates, infinities
  const codec = Schema.toCodecJson(schema)
  const encodeResult = Schema.encodeResult(codec)
  const decodeResult = Schema.decodeUnknownResult(codec)
  const held = (cells: Cells) => cells.objects?.[cell] as Held | undefined // nothing else is put there
  const stateOf = (cells: Cells): unknown => {
    const found = held(cells)
    return found === undefined ? initial() : found.state
  }
  const put = (cells: Cells, state: unknown) => {
    ;(cells.objects ??= [])[cell] = { state } satisfies Held
  }
  return {
    declaration,
    field: undefined,
    cell,
    exact: false,
    add: () => {},
    addRecord: (cells, record) => put(cells, add(stateOf(cells), record)),
    merge: (into, from) => {
      if (held(from) === undefined) return
      put(into, held(into) === undefined ? stateOf(from) : merge(stateOf(into), stateOf(from)))
    },
    result: (cells) => result(stateOf(cells)),
    durable: Schema.Unknown as unknown as Schema.Codec<unknown, unknown>, // `decode` reads it
    encode: (cells) => {
      if (held(cells) === undefined) return null
      const encoded = encodeResult(stateOf(cells))
      if (Result.isSuccess(encoded)) return [encoded.success]
      // a bug of the job's author; the schema's own message would quote the state
      throw new TypeError(`aggregate ${name}: a state that its code returned does not fit its schema`)
    },
    decode: (cells, value) => {
      if (!Array.isArray(value)) {
        if (cells.objects !== undefined) cells.objects[cell] = undefined
        return
      }
      const decoded = decodeResult(value[0])
      if (Result.isFailure(decoded)) {
        throw new StateShapeError(
          `the state of aggregate ${name} does not fit its schema any more; give the aggregate another name, and its window another to start it empty`
        )
      }
      put(cells, decoded.success)
    }
  }
}
