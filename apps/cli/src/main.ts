/**
 * `bun run frazil AREA VERB`: everything a person asks of a running or stopped system.
 */
import { runApp } from "@frazil/platform"
import { frazilCommand } from "./FrazilCommand.ts"

runApp(frazilCommand)
