/**
 * Where stores on disk keep their files: a folder of the machine that runs the shard, given by the app.
 *
 * A store is a cache of what the log and its snapshots hold: made anew when a shard is restored, never synced, removed when
 * the shard is given up, swept by who takes the shard next. Its files are read and written from plain loops, so this interface
 * does not wait: every call throws a `StoreError`.
 */
import { Context } from "effect"

/** One file: appended to, read at any place, removed when closed. */
export interface StateFile {
  /** Writes the first `length` bytes behind what is there. */
  readonly append: (bytes: Uint8Array, length: number) => void
  /** Fills the first `length` bytes of `into` with what stands at `position`; all of them or it throws. */
  readonly read: (into: Uint8Array, length: number, position: number) => void
  /** Closes and removes it. */
  readonly discard: () => void
}

/** The folder of one store. */
export interface StoreFiles {
  /** For messages. */
  readonly place: string
  readonly create: (name: string) => StateFile
}

/** Where a shard's stores lie; `path` is relative and has no segments of dots. */
export interface StateFolderShape {
  /** Makes the folder of a store; fails with `Refused` where nothing can be written. */
  readonly make: (path: string) => StoreFiles
  /** Removes a folder with all it holds; what is not there is fine. */
  readonly remove: (path: string) => void
  /** Blocks are sealed with AES-256-GCM, by a key that lives in memory only and as long as the store. */
  readonly sealed: boolean
}

/** Without one, operators that keep their state on disk are refused when their job starts. */
export const StateFolder = Context.Reference<StateFolderShape | undefined>("@frazil/engine/StateFolder", {
  defaultValue: () => undefined
})
