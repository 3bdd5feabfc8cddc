/**
 * `bun run apps/generator KIND`: made-up events at a rate, to a topic or a file.
 */
import { runApp } from "@frazil/platform"
import { generatorCommand } from "./GeneratorCommand.ts"

runApp(generatorCommand)
