/** Where an operator keeps its state while it runs, as it is declared. */
import type { DiskStore } from "./Node.ts"

/**
 * `"memory"`, the default, is the fastest and holds all of it there. `"disk"` is for state larger than memory: a cache of what is in
 * use, the rest in files below the data directory. Answers, changes and snapshots are the same.
 *
 * **Bounds**: on disk, `cacheBytesMax` of each shard in memory (64 MB), and about 1 % of the state's size for what finds an entry.
 */
export type StateStore = "memory" | "disk" | { readonly disk: { readonly cacheBytesMax: number } }

/** Where the entries of keys are kept, and how many of them: in memory a partition has a bound, on disk the TTL alone. */
export type KeysKept =
  | {
      readonly store?: "memory"
      /** Keys that a partition holds; the record of one more goes to the ledger as `evicted`. Default 1,000,000. */
      readonly keysMax?: number
    }
  | { readonly store: Exclude<StateStore, "memory">; readonly keysMax?: never }

const keysMaxDefault = 1_000_000

/** As a node has it. */
export const keysKept = ({ keysMax, store }: KeysKept): { readonly keysMax: number; readonly store?: DiskStore } => {
  const disk = diskStoreOf(store)
  return disk === undefined
    ? { keysMax: keysMax ?? keysMaxDefault }
    : { keysMax: Number.POSITIVE_INFINITY, store: disk }
}

const cacheBytesMaxDefault = 64 * 1_048_576

/** Undefined: in memory. */
export const diskStoreOf = (store: StateStore = "memory"): DiskStore | undefined => {
  if (store === "memory") return undefined
  return store === "disk" ? { cacheBytesMax: cacheBytesMaxDefault } : store.disk
}
