/**
 * `bun run apps/bureau`: the mock credit bureau, on the loopback address, until Ctrl-C.
 */
import { runApp } from "@frazil/platform"
import { bureauCommand } from "./BureauCommand.ts"

runApp(bureauCommand)
