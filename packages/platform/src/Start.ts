/**
 * How an app's process begins: signals are heeded first, then everything else is loaded, then the command runs.
 *
 * Every app's `main.ts` calls it and imports nothing else: what an app needs takes half a second to load, and a signal
 * within it ended the process by the signal. **Guarantee**: from this module on, Ctrl-C and SIGTERM end with exit code 0.
 */
import type { NodeServices } from "@effect/platform-node/NodeServices"
import type { Command } from "effect/cli"

/** While it is loaded nothing has begun, so that leaving is stopping cleanly; afterwards the running command stops itself. */
const leaveWhile = (loading: () => boolean): void => {
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.on(signal, () => {
      if (loading()) process.exit(0)
    })
  }
}

/** Loads a command and runs it with the process's arguments. */
export const startApp = async <Name extends string, Input, E>(
  load: () => Promise<Command.Command<Name, Input, unknown, E, NodeServices>>
): Promise<void> => {
  let loading = true
  leaveWhile(() => loading)
  const [command, { runApp }] = await Promise.all([load(), import("./Main.ts")])
  runApp(command)
  // the command has its own handlers now
  loading = false
}
