/**
 * How an app starts and ends: a command run to an exit code, errors as one line for a person.
 *
 * Every app's `main.ts` calls `runApp`. Ctrl-C and SIGTERM interrupt: what was committed stays, the exit code is 0. An
 * expected failure prints its message; a bug prints its stack; `--verbose` prints the stack of either.
 */
import { NodeRuntime, NodeServices } from "@effect/platform-node"
import { Cause, ConfigProvider, Effect, Exit, Layer } from "effect"
import { CliError, Command } from "effect/cli"
import { settingsFile } from "./SettingsFile.ts"

const verbose = () => process.argv.includes("--verbose")

const describe = (cause: Cause.Cause<unknown>): string => {
  if (verbose()) return Cause.pretty(cause)
  const failure = cause.reasons.find((reason) => Cause.isFailReason(reason))
  if (failure !== undefined && Cause.isFailReason(failure)) {
    const { error } = failure
    return `error: ${error instanceof Error ? error.message.split("\n")[0] : String(error)}`
  }
  return `error: a bug in frazil, please report it: ${Cause.pretty(cause)}`
}

/** What effect/cli has already told the person. */
const told = (cause: Cause.Cause<unknown>): boolean =>
  cause.reasons.some((reason) => Cause.isFailReason(reason) && CliError.isCliError(reason.error))

/** Runs a command with the process's arguments and ends the process with its exit code. */
export const runApp = <Name extends string, Input, E>(
  command: Command.Command<Name, Input, unknown, E, NodeServices.NodeServices>
): void => {
  const program = Command.run(command, { version: "0.1.0" }).pipe(
    Effect.tapCause((cause) =>
      Effect.sync(() => {
        if (!Cause.hasInterruptsOnly(cause) && !told(cause)) process.stderr.write(`${describe(cause)}\n`)
      })
    ),
    Effect.provide(Layer.mergeAll(NodeServices.layer, settingsLayer))
  )
  NodeRuntime.runMain(program, {
    disableErrorReporting: true,
    teardown: (exit, onExit) => onExit(Exit.isSuccess(exit) || Cause.hasInterruptsOnly(exit.cause) ? 0 : 1)
  })
}

/** The environment, and below it `frazil.yaml` of the working directory. */
const settingsLayer = ConfigProvider.layer(
  Effect.map(settingsFile("frazil.yaml"), (settings) =>
    ConfigProvider.orElse(ConfigProvider.fromEnv(), ConfigProvider.fromUnknown(settings))
  )
)
