/** `bun bench/src/nexmark.ts …`, which `bun run bench nexmark …` runs: see `nexmark/Command.ts`. */
import { nexmark } from "./nexmark/Command.ts"

process.exitCode = await nexmark(process.argv.slice(2))
