/**
 * The embedded log passes the log conformance suite, with a file per test and a connection per process.
 */
import { Effect } from "effect"
import { EmbeddedLog } from "../../src/index.ts"
import { logConformance } from "../log/LogConformance.ts"
import { temporaryFolder } from "./TemporaryFolder.ts"

logConformance(
  "embedded log",
  Effect.map(temporaryFolder, (folder) => EmbeddedLog.layer({ file: `${folder}/log.db`, pollMs: 2 }))
)
