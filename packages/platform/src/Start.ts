/**
 * How a program's process begins: signals are heeded first, then everything else is loaded, then the command runs.
 *
 * Every app's `main.ts` calls it and imports nothing else: what an app needs takes a third of a second to load, and a signal
 * within it ended the process by the signal. What is loaded is the program's build where there is one of its sources as they
 * are (`built/`), else those. **Guarantee**: from this module on, Ctrl-C and SIGTERM end with exit code 0.
 */
import { fileURLToPath } from "node:url"
import type { NodeServices } from "@effect/platform-node/NodeServices"
import type { Command } from "effect/cli"
import { currentBuild } from "./built/BuiltProgram.ts"

/** Defined in a build: what runs is one already. */
declare const FRAZIL_BUILT: true | undefined

/** While it is loaded nothing has begun, so that leaving is stopping cleanly; afterwards the running command stops itself. */
const leaveWhile = (loading: () => boolean): void => {
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.on(signal, () => {
      if (loading()) process.exit(0)
    })
  }
}

/** What is used of Bun's own API. */
interface Tiers {
  readonly unsafe?: { readonly setJITPolicy?: (scale: number) => void }
}

/** While a program is loaded its code runs once: compiling it costs more than it saves. 1 is as ever. */
const compileAfter = (scale: number): void => {
  const { Bun: runtime } = globalThis as { readonly Bun?: Tiers }
  runtime?.unsafe?.setJITPolicy?.(scale)
}

/** So many times as long code runs before it is compiled. */
const scaleLoading = 10

/**
 * Runs a program: `program` is its own `import.meta.url`, `load` loads its sources and gives what runs. Its module imports
 * nothing else, since that would be loaded beside its build.
 */
export const startProgram = async (program: string, load: () => Promise<() => unknown>): Promise<void> => {
  compileAfter(scaleLoading)
  const build = typeof FRAZIL_BUILT === "undefined" ? currentBuild(fileURLToPath(program)) : undefined
  if (build !== undefined) {
    // what the entry's source waits for
    const { running }: { readonly running?: unknown } = await import(build)
    await running
    return
  }
  const run = await load()
  compileAfter(1)
  await run()
}

/** Loads a command and runs it with the process's arguments; `program` is the app's own `import.meta.url`. */
export const startApp = async <Name extends string, Input, E>(
  program: string,
  load: () => Promise<Command.Command<Name, Input, unknown, E, NodeServices>>
): Promise<void> => {
  let loading = true
  leaveWhile(() => loading)
  await startProgram(program, async () => {
    const [command, { runApp }] = await Promise.all([load(), import("./Main.ts")])
    return () => runApp(command)
  })
  // the command has its own handlers now
  loading = false
}
