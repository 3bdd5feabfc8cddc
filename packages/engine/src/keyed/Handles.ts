/** What a process function reads and writes its states by: handles over the key of the running call. */
import { alive, type Cell, isOver, type Written } from "./KeyEntry.ts"
import type { AggregateHandle, ListHandle, MapHandle, StateSpec, ValueHandle } from "./State.ts"
import { StateBoundError } from "./StateBoundError.ts"
import { changesOf, entryOf, putCell, type Turn } from "./Turn.ts"

/** Highest event time written at. */
const written = (turn: Turn, value: unknown, before: Written | undefined): Written => ({
  value,
  at: before === undefined ? turn.eventTime : Math.max(before.at, turn.eventTime)
})

const full = (operator: string, state: string, { entriesMax }: StateSpec) =>
  new StateBoundError({
    field: state,
    message: `${operator}: the state ${state} of a key holds ${entriesMax} entries, as many as entriesMax lets it`
  })

type Single = Written | undefined

const valueHandle = (turn: Turn, index: number, spec: StateSpec): ValueHandle<unknown> => {
  const single = () => entryOf(turn).cells[index] as Single // nothing else is put there
  return {
    get: () => {
      const cell = single()
      return cell === undefined || isOver(spec, cell, turn.now) ? spec.initial() : cell.value
    },
    set: (value) => putCell(turn, index, written(turn, value, single())),
    clear: () => putCell(turn, index, undefined)
  }
}

const aggregateHandle = (turn: Turn, index: number, spec: StateSpec): AggregateHandle<unknown, unknown> => {
  const { clear, get, set } = valueHandle(turn, index, spec)
  return { get: () => spec.result(get()), add: (input) => set(spec.add(get(), input)), clear }
}

const listHandle = (turn: Turn, index: number, spec: StateSpec, full: () => Error): ListHandle<unknown> => {
  const listOf = (cell: Cell) => (cell ?? []) as Array<Written> // nothing else is put there
  const list = () => listOf(entryOf(turn).cells[index])
  return {
    get: () => list().flatMap((each) => (isOver(spec, each, turn.now) ? [] : [each.value])),
    add: (value) => {
      const before = list()
      // what is over by the watermark counts no more, whether or not it was forgotten
      const kept = before.length < spec.entriesMax ? before : listOf(alive(spec, before, turn.watermark))
      if (kept.length >= spec.entriesMax) throw full()
      putCell(turn, index, [...kept, written(turn, value, undefined)])
    },
    clear: () => putCell(turn, index, undefined)
  }
}

const mapHandle = (turn: Turn, index: number, spec: StateSpec, full: () => Error): MapHandle<unknown> => {
  const map = () => entryOf(turn).cells[index] as Map<string, Written> | undefined // nothing else is put there
  const touch = (name: string) => {
    const { names } = changesOf(turn, entryOf(turn).key)
    let touched = names.get(index)
    if (touched === undefined) names.set(index, (touched = new Set()))
    touched.add(name)
  }
  /** Changes one name in place, so that a big map costs what changed. */
  const change = (into: Map<string, Written>, name: string, to: Written | undefined) => {
    const before = into.get(name)
    turn.undo.push(() => void (before === undefined ? into.delete(name) : into.set(name, before)))
    if (to === undefined) into.delete(name)
    else into.set(name, to)
    if (to === undefined) turn.cleared = true
    touch(name)
  }
  const room = (name: string): Map<string, Written> => {
    const before = map()
    if (before !== undefined && (before.has(name) || before.size < spec.entriesMax)) return before
    const kept = alive(spec, before, turn.watermark) as Map<string, Written> | undefined // of a map
    if ((kept?.size ?? 0) >= spec.entriesMax) throw full()
    const into = kept ?? new Map<string, Written>()
    putCell(turn, index, into)
    for (const gone of before?.keys() ?? []) if (!into.has(gone)) touch(gone)
    return into
  }
  return {
    get: (name) => {
      const found = map()?.get(name)
      return found === undefined || isOver(spec, found, turn.now) ? undefined : found.value
    },
    set: (name, value) => {
      const into = room(name)
      change(into, name, written(turn, value, into.get(name)))
    },
    delete: (name) => {
      const from = map()
      if (from?.has(name) === true) change(from, name, undefined)
    },
    entries: () =>
      [...(map() ?? [])]
        .filter(([, each]) => !isOver(spec, each, turn.now))
        .map(([name, { value }]) => [name, value] as const)
        .sort(([left], [right]) => (left < right ? -1 : 1)),
    clear: () => {
      for (const name of map()?.keys() ?? []) touch(name)
      putCell(turn, index, undefined)
    }
  }
}

/** The handles of an operator's states, by their names. */
export const makeHandles = (
  operator: string,
  turn: Turn,
  states: ReadonlyArray<readonly [name: string, StateSpec]>
): Readonly<Record<string, unknown>> =>
  Object.fromEntries(
    states.map(([name, spec], index) => {
      const tooMany = () => full(operator, name, spec)
      switch (spec.kind) {
        case "value":
          return [name, valueHandle(turn, index, spec)]
        case "aggregate":
          return [name, aggregateHandle(turn, index, spec)]
        case "list":
          return [name, listHandle(turn, index, spec, tooMany)]
        case "map":
          return [name, mapHandle(turn, index, spec, tooMany)]
      }
    })
  )
