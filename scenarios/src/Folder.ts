/** A folder for a scenario: its settings file, its inputs, its data directory. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Effect } from "effect"

export interface Folder {
  readonly path: string
  readonly data: string
  readonly file: (name: string) => string
  /** Declares connections, and sinks, in the `frazil.yaml` that apps started here read. */
  readonly connections: (
    connections: Readonly<Record<string, object>>,
    sinks?: Readonly<Record<string, object>>
  ) => void
}

/** Removed with the scope. */
export const makeFolder = Effect.map(
  Effect.acquireRelease(
    Effect.sync(() => mkdtempSync(join(tmpdir(), "frazil-scenario-"))),
    (path) => Effect.sync(() => rmSync(path, { recursive: true, force: true }))
  ),
  (path): Folder => ({
    path,
    data: join(path, "data"),
    file: (name) => join(path, name),
    // JSON is YAML
    connections: (connections, sinks = {}) =>
      writeFileSync(join(path, "frazil.yaml"), JSON.stringify({ connections, sinks }))
  })
)
