/**
 * The durable form of a process function's state: JSON that costs what changed. Deltas and snapshots have the same form.
 *
 * States are found again by their names: one that is new starts empty, one that is gone is left behind. Of maps a delta has
 * the names that changed, of everything else what changed whole.
 */
import { Result, Schema } from "effect"
import { isoOf, plainJson } from "../state/PlainJson.ts"
import { StateShapeError } from "../state/OperatorState.ts"
import type { Cell, Changed, KeyEntry, Written } from "./KeyEntry.ts"
import type { FunctionPlan } from "./KeyedPlan.ts"
import type { StateSpec } from "./State.ts"

type EncodedWritten = readonly [value: unknown, at: number]
/** Null: cleared. Of a map, names without a value are gone. */
type EncodedCell =
  | null
  | EncodedWritten
  | ReadonlyArray<EncodedWritten>
  | ReadonlyArray<readonly [name: string, value?: unknown, at?: number]>

export interface EncodedKey {
  readonly key: string
  readonly states: Readonly<Record<string, EncodedCell>>
  /** All of them; absent: they did not change. */
  readonly event?: ReadonlyArray<number>
  readonly processing?: ReadonlyArray<number>
}

export interface EncodedFunction {
  readonly shape: string
  readonly kinds: Readonly<Record<string, StateSpec["kind"]>>
  readonly keys: ReadonlyArray<EncodedKey>
}

interface StateCodec {
  readonly name: string
  readonly spec: StateSpec
  readonly encode: (value: Written) => EncodedWritten
  readonly decode: (value: unknown, at: unknown) => Written
}

const makeStateCodec = (operator: string, name: string, spec: StateSpec): StateCodec => {
  // whatever the schema's values are, JSON holds them: bigints, dates, infinities
  const codec = Schema.toCodecJson(spec.schema)
  const encode = Schema.encodeResult(codec)
  const decode = Schema.decodeUnknownResult(codec)
  return {
    name,
    spec,
    encode: ({ at, value }) => {
      const encoded = encode(value)
      if (Result.isSuccess(encoded)) return [encoded.success, at]
      // a bug of the job's author; the schema's own message would quote the state
      throw new TypeError(`state ${name} of ${operator}: a value that its code wrote does not fit the state's schema`)
    },
    decode: (value, at) => {
      const decoded = decode(value)
      if (Result.isSuccess(decoded)) return { value: decoded.success, at: Number(at) }
      throw new StateShapeError(
        `the state ${name} of ${operator} does not fit its schema any more; give the state another name to start it empty`
      )
    }
  }
}

export interface FunctionCodec {
  /** Undefined: everything of it. */
  readonly encodeKey: (key: string, entry: KeyEntry | undefined, changed: Changed | undefined) => EncodedKey
  /** All that there is of a key, in place of whatever there was. */
  readonly encodeWhole: (entry: KeyEntry) => ReadonlyArray<EncodedKey>
  /** States alone, by their names. */
  readonly encodeCells: (cells: ReadonlyArray<Cell>) => EncodedKey["states"]
  /** What `encodeCells` gave. */
  readonly decodeCells: (encoded: unknown) => Array<Cell>
  readonly wrap: (keys: ReadonlyArray<EncodedKey>) => EncodedFunction
  /** What was written by `wrap`, of this operator. */
  readonly unwrap: (entries: unknown) => EncodedFunction
  /** By the names of its states: kind, and what was written when; for people. */
  readonly read: (entry: KeyEntry) => object
  /** Applies a key's entry on top of what it has. */
  readonly apply: (entry: KeyEntry, encoded: EncodedKey) => void
}

export const makeFunctionCodec = ({ name, shape, spec: { states } }: FunctionPlan): FunctionCodec => {
  const codecs = states.map(([state, spec]) => makeStateCodec(name, state, spec))
  const kinds = Object.fromEntries(states.map(([state, { kind }]) => [state, kind]))

  const encodeMap = (codec: StateCodec, cell: Cell, names: Iterable<string>): EncodedCell =>
    Array.from(names, (of) => {
      const found = (cell as Map<string, Written> | undefined)?.get(of) // of a map
      return found === undefined ? [of] : [of, ...codec.encode(found)]
    })
  const encodeCell = (codec: StateCodec, cell: Cell): EncodedCell => {
    if (cell instanceof Map) return encodeMap(codec, cell, cell.keys())
    if (cell === undefined) return null
    return Array.isArray(cell) ? cell.map(codec.encode) : codec.encode(cell)
  }
  const decodeCell = (codec: StateCodec, before: Cell, encoded: EncodedCell): Cell => {
    if (encoded === null) return undefined
    if (codec.spec.kind === "list") return encoded.map((each) => codec.decode(...(each as EncodedWritten))) // of a list
    if (codec.spec.kind !== "map") return codec.decode(encoded[0], encoded[1])
    const into = before instanceof Map ? before : new Map<string, Written>()
    for (const [of, ...value] of encoded as ReadonlyArray<readonly [string, unknown?, unknown?]>) {
      // of a map
      if (value.length === 0) into.delete(of)
      else into.set(of, codec.decode(value[0], value[1]))
    }
    return into.size === 0 ? undefined : into
  }

  const encodeCells = (cells: ReadonlyArray<Cell>): EncodedKey["states"] =>
    Object.fromEntries(
      codecs.flatMap((codec, index) => {
        const cell = cells[index]
        return cell === undefined ? [] : [[codec.name, encodeCell(codec, cell)] as const]
      })
    )
  const nothingOf = (some: ReadonlyArray<StateCodec>) => Object.fromEntries(some.map((codec) => [codec.name, null]))
  const nothing = nothingOf(codecs)
  const maps = codecs.filter(({ spec }) => spec.kind === "map")
  // names are added to a map that is there, so first there is none
  const noMaps = maps.length === 0 ? [] : [nothingOf(maps)]

  return {
    encodeCells,
    decodeCells: (encoded) => {
      const states = encoded as EncodedKey["states"] // made by encodeCells
      return codecs.map((codec) => {
        const cell = states[codec.name]
        return cell === undefined ? undefined : decodeCell(codec, undefined, cell)
      })
    },
    encodeWhole: ({ cells, event, key, processing }) => [
      ...noMaps.map((states) => ({ key, states })),
      { key, states: { ...nothing, ...encodeCells(cells) }, event: [...event], processing: [...processing] }
    ],
    encodeKey: (key, entry, changed) => {
      const encoded: Record<string, EncodedCell> = {}
      for (const [index, codec] of codecs.entries()) {
        const cell = entry?.cells[index]
        const names = changed?.names.get(index)
        if (names !== undefined) encoded[codec.name] = encodeMap(codec, cell, names)
        else if (changed === undefined ? cell !== undefined : changed.states.has(index))
          encoded[codec.name] = encodeCell(codec, cell)
      }
      if (changed?.timers === false) return { key, states: encoded }
      return { key, states: encoded, event: [...(entry?.event ?? [])], processing: [...(entry?.processing ?? [])] }
    },
    wrap: (keys) => ({ shape, kinds, keys }),
    unwrap: (entries) => {
      const of = entries as EncodedFunction // made by wrap above
      const other = states.find(([state, { kind }]) => (of.kinds[state] ?? kind) !== kind)
      if (of.shape === shape && other === undefined) return of
      const what = other === undefined ? "by another key" : `when ${other[0]} was a ${of.kinds[other[0]]}`
      throw new StateShapeError(
        `the state of ${name} was made ${what}; give the operator another name to start it empty, or the job another name`
      )
    },
    read: ({ cells }) => {
      const readWritten = (codec: StateCodec, each: Written) => ({
        value: plainJson(codec.encode(each)[0]),
        written_at: isoOf(each.at)
      })
      const readCell = (codec: StateCodec, cell: Cell) => {
        if (cell === undefined) return null
        if (Array.isArray(cell)) return cell.map((each) => readWritten(codec, each))
        if (!(cell instanceof Map)) return readWritten(codec, cell)
        return Array.from(cell, ([key, each]) => ({ key, ...readWritten(codec, each) }))
      }
      return Object.fromEntries(
        codecs.map((codec, index) => [codec.name, { kind: codec.spec.kind, held: readCell(codec, cells[index]) }])
      )
    },
    apply: (entry, encoded) => {
      for (const [index, codec] of codecs.entries()) {
        const cell = encoded.states[codec.name]
        if (cell !== undefined) entry.cells[index] = decodeCell(codec, entry.cells[index], cell)
      }
      for (const domain of ["event", "processing"] as const) {
        const times = encoded[domain]
        if (times === undefined) continue
        entry[domain].clear()
        for (const time of times) entry[domain].add(time)
      }
    }
  }
}
