/**
 * Metadata files that are made and not written yet: a commit writes its manifests, its list and the table's metadata at once, and
 * waits for the disk once, since only the swap that follows names them.
 *
 * Stages gather them; whoever is about to swap writes them (`TableCommit.write`).
 */
import type { NewObject } from "@frazil/core"
import { Effect } from "effect"
import type { LakeError } from "../LakeError.ts"

/** A metadata file, encoded. */
export interface StagedFile extends NewObject {
  /** What people call it. */
  readonly what: "manifest" | "manifest list" | "table metadata"
  /** Called once it is durable. */
  readonly written?: () => void
}

type Write = (files: ReadonlyArray<StagedFile>) => Effect.Effect<void, LakeError>

/** More than this is not held back: manifests of a large rewrite are written as they come. */
const heldBytesMax = 16 * 1024 * 1024

/** What a commit has made so far. */
export class StagedFiles {
  private readonly write: Write
  private held: ReadonlyArray<StagedFile> = []

  constructor(write: Write) {
    this.write = write
  }

  /** Takes a file in. Nothing may name it to others before `writeAll` succeeds. */
  add(file: StagedFile): Effect.Effect<void, LakeError> {
    return Effect.suspend(() => {
      this.held = [...this.held, file]
      const bytes = this.held.reduce((sum, each) => sum + each.bytes.length, 0)
      return bytes > heldBytesMax ? this.writeAll([]) : Effect.void
    })
  }

  /** All that was taken in, and `last`, are durable when it succeeds. */
  writeAll(last: ReadonlyArray<StagedFile>): Effect.Effect<void, LakeError> {
    return Effect.suspend(() =>
      Effect.tap(this.write([...this.held, ...last]), () => Effect.sync(() => void (this.held = [])))
    )
  }
}
