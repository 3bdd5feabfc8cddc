/**
 * The system that the gateway speaks for: its data directory, and what the build declares.
 *
 * Given by the app that starts the gateway.
 */
import type { DataDirectory, Declared } from "@frazil/platform"
import type { Job } from "@frazil/engine"
import { Context } from "effect"

export interface SystemShape {
  readonly directory: DataDirectory
  readonly declared: Declared
  /** What jobs of this process have in memory; empty where none runs. */
  readonly live: () => ReadonlyArray<Job.StageStatus>
}

export class System extends Context.Service<System, SystemShape>()("@frazil/gateway/System") {}
