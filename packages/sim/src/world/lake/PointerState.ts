/** What the simulated catalog keeps: the location in force of each table. Durable; metadata files lie in storage. */
import { identifierText, LakeError, type TableIdentifier, type TablePointers } from "@frazil/lake"
import { Effect } from "effect"
import type { Caller, Door, Failures, SpecialFaults } from "../Port.ts"
import type { StorageState } from "./StorageState.ts"

interface Pointer {
  readonly table: TableIdentifier
  readonly location: string
}

export class PointerState {
  readonly tables = new Map<string, Pointer>()
  /** How often somebody else changed a table. */
  touched = 0
  /** Told of each location that came into force. */
  changed: (table: TableIdentifier, location: string) => void = () => {}
}

const failures: Failures<LakeError> = {
  unavailable: () => new LakeError({ reason: "Unavailable", message: "the simulated catalog is out of reach" }),
  unknown: () => new LakeError({ reason: "OutcomeUnknown", message: "the answer of the simulated catalog was lost" }),
  full: () => new LakeError({ reason: "Full", message: "the simulated catalog's disk is full" })
}

/** The pointers as a process of the world sees them. */
export const faultyPointers = (
  door: Door,
  caller: Caller,
  state: PointerState,
  storage: StorageState
): TablePointers => {
  const read = <A>(name: string, inner: () => A) =>
    door.perform(caller, { name: `catalog.${name}`, writes: false }, Effect.sync(inner), failures)
  const write = <A>(name: string, inner: () => A, special: SpecialFaults = {}) =>
    door.perform(caller, { name: `catalog.${name}`, writes: true }, Effect.sync(inner), failures, special)
  /** Another engine sets a property of the table. */
  const interfere = (table: TableIdentifier) => {
    const location = state.tables.get(identifierText(table))?.location
    const bytes = location === undefined ? undefined : storage.bytesOf(location)
    if (location === undefined || bytes === undefined) return
    const text = new TextDecoder().decode(bytes).replace(/("properties"\s*:\s*\{)/, '$1"touched":"yes",')
    const other = location.replace(/(-\d+)?\.metadata\.json$/, `-${state.touched++}.metadata.json`)
    storage.put(other, new TextEncoder().encode(text))
    put(table, other)
  }
  const put = (table: TableIdentifier, location: string) => {
    state.tables.set(identifierText(table), { table, location })
    state.changed(table, location)
    return true
  }
  const tables = (namespace?: string) =>
    [...state.tables.values()]
      .map(({ table }) => table)
      .filter((table) => namespace === undefined || table.namespace === namespace)
  return {
    name: "the simulated catalog",
    namespaces: read("namespaces", () => [...new Set(tables().map(({ namespace }) => namespace))].sort()),
    tables: (namespace) => read("tables", () => tables(namespace)),
    find: (table) => read("find", () => state.tables.get(identifierText(table))?.location),
    insert: (table, location) =>
      write("insert", () => (state.tables.has(identifierText(table)) ? false : put(table, location))),
    swap: (table, from, to) =>
      write("swap", () => (state.tables.get(identifierText(table))?.location === from ? put(table, to) : false), {
        conflict: () => interfere(table)
      }),
    remove: (table) => write("remove", () => state.tables.delete(identifierText(table)))
  }
}
