/**
 * What one key of a process function holds: its states by their index, and its timers; with what of it changed since the last
 * epoch.
 */
import type { StateSpec } from "./State.ts"

/** A value, and the highest event time that it was written at. */
export interface Written {
  readonly value: unknown
  readonly at: number
}

/** Of a value or an aggregate one, of a list several, of a map several by their names; undefined: nothing. */
export type Cell = Written | Array<Written> | Map<string, Written> | undefined

/** The timers of a key that are set, by their times. */
export interface KeyTimers {
  readonly key: string
  readonly event: Set<number>
  readonly processing: Set<number>
}

export interface KeyEntry extends KeyTimers {
  readonly cells: Array<Cell>
}

/** What changed of a key. */
export interface Changed {
  readonly states: Set<number>
  /** Of maps, the names that changed. */
  readonly names: Map<number, Set<string>>
  timers: boolean
}

export const makeKeyEntry = (key: string): KeyEntry => ({ key, cells: [], event: new Set(), processing: new Set() })

export const makeChanged = (): Changed => ({ states: new Set(), names: new Map(), timers: false })

/** Adds what changed of a key to what did before; the changes may become part of it. */
export const addChanges = (all: Map<string, Changed>, key: string, { names, states, timers }: Changed): void => {
  const known = all.get(key)
  if (known === undefined) {
    all.set(key, { names, states, timers })
    return
  }
  for (const state of states) known.states.add(state)
  for (const [state, changed] of names) {
    const before = known.names.get(state)
    if (before === undefined) known.names.set(state, changed)
    else for (const name of changed) before.add(name)
  }
  known.timers ||= timers
}

export const isOver = ({ ttlMs }: StateSpec, { at }: Written, now: number): boolean => now - at >= ttlMs

/** A cell without what is over at the watermark; undefined when that is nothing. */
export const alive = (spec: StateSpec, cell: Cell, watermark: number): Cell => {
  if (cell === undefined) return undefined
  if (Array.isArray(cell)) {
    const kept = cell.filter((each) => !isOver(spec, each, watermark))
    return kept.length === 0 ? undefined : kept
  }
  if (cell instanceof Map) {
    const kept = [...cell].filter(([, each]) => !isOver(spec, each, watermark))
    return kept.length === 0 ? undefined : new Map(kept)
  }
  return isOver(spec, cell, watermark) ? undefined : cell
}

const lastOf = (cell: Cell): number => {
  if (cell === undefined) return Number.NEGATIVE_INFINITY
  if (!Array.isArray(cell) && !(cell instanceof Map)) return cell.at
  let last = Number.NEGATIVE_INFINITY
  for (const { at } of cell.values()) last = Math.max(last, at)
  return last
}

export const hasTimers = ({ event, processing }: KeyTimers): boolean => event.size + processing.size > 0

/** The watermark from which on nothing of it counts. */
export const expiresAt = (specs: ReadonlyArray<StateSpec>, entry: KeyEntry): number => {
  if (hasTimers(entry)) return Number.POSITIVE_INFINITY
  return specs.reduce(
    (last, { ttlMs }, index) => Math.max(last, lastOf(entry.cells[index]) + ttlMs),
    Number.NEGATIVE_INFINITY
  )
}

export const isEmpty = (entry: KeyEntry): boolean =>
  !hasTimers(entry) && entry.cells.every((cell) => cell === undefined)
