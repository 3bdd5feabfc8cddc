/**
 * Contract of `maintenance`: what upkeep did to a table, or would have done.
 *
 * `apps/maintenance` writes it, one record an action and table; it lands in `system.maintenance`.
 */
import { Field, Topic } from "@frazil/core"
import { Schema } from "effect"

export class MaintenanceRun extends Schema.Opaque<MaintenanceRun>()(
  Schema.Struct({
    /** `namespace.table`. */
    table: Field.text(),
    action: Field.oneOf(["compact", "manifests", "expire", "orphans"]),
    dry_run: Field.boolean,
    started_at: Field.timestamp,
    finished_at: Field.timestamp,
    /** Of what the action is about: live data files, manifests, files that snapshots name, orphans. */
    files_before: Field.int({ min: 0 }),
    files_after: Field.int({ min: 0 }),
    bytes_before: Field.int({ min: 0 }),
    bytes_after: Field.int({ min: 0 }),
    /** Swaps that others won, and groups of files given up because others had changed them. */
    conflicts: Field.int({ min: 0 }),
    /** The snapshot that a compaction made, or a rewrite of manifests. */
    snapshot_id: Field.optional(Field.text()),
    /** One line for a person; absent when all went well. */
    error: Field.optional(Field.text())
  })
) {}

export const MaintenanceRuns = Topic.make("maintenance", {
  schema: MaintenanceRun,
  key: "table",
  eventTime: "finished_at"
})
