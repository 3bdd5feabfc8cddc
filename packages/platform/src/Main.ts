/**
 * How an app starts and ends: a command run to an exit code, errors as one line for a person.
 *
 * `Start.ts` calls `runApp` for every app. Ctrl-C and SIGTERM interrupt: what was committed stays, the exit code is 0. An
 * expected failure prints its message; a bug prints its stack; `--verbose` prints the stack of either.
 */
// by module: the package's root would load servers, sockets and clusters, 0.15 s of every start
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { Cause, ConfigProvider, Console, Effect, Exit, Layer } from "effect"
import { CliError, CliOutput, Command } from "effect/cli"
import { readSettingsFile, settingsPath } from "./SettingsFile.ts"

const verbose = () => process.argv.includes("--verbose")

const describe = (cause: Cause.Cause<unknown>): string => {
  if (verbose()) return Cause.pretty(cause)
  const failure = cause.reasons.find((reason) => Cause.isFailReason(reason))
  if (failure !== undefined && Cause.isFailReason(failure)) {
    const { error } = failure
    const line = `error: ${error instanceof Error ? error.message.split("\n")[0] : String(error)}`
    // what lists every problem of files that a person must change
    return typeof error === "object" && error !== null && "report" in error ? `${line}\n${String(error.report)}` : line
  }
  return `error: a bug in frazil, please report it: ${Cause.pretty(cause)}`
}

/** What effect/cli has already told the person. */
const told = (cause: Cause.Cause<unknown>): boolean =>
  cause.reasons.some((reason) => Cause.isFailReason(reason) && CliError.isCliError(reason.error))

/** A wrong invocation is one line on stderr; help is printed when it is asked for. */
const presenter = CliOutput.layerPresenter({
  present: (event) =>
    event._tag === "InvalidInvocation"
      ? Console.error(
          `error: ${event.errors.map((error) => error.message.trim().replaceAll(/\s+/g, " ")).join("; ")} (--help says what there is)`
        )
      : CliOutput.defaultPresenter.present(event)
})

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
    Effect.provide(Layer.mergeAll(NodeServices.layer, presenter, settingsLayer))
  )
  NodeRuntime.runMain(program, {
    disableErrorReporting: true,
    teardown: (exit, onExit) => onExit(Exit.isSuccess(exit) || Cause.hasInterruptsOnly(exit.cause) ? 0 : 1)
  })
}

/** The environment, and below it `frazil.yaml` of the working directory. */
const settingsLayer = ConfigProvider.layer(
  Effect.map(readSettingsFile(settingsPath), ({ settings }) =>
    ConfigProvider.orElse(ConfigProvider.fromEnv(), ConfigProvider.fromUnknown(settings))
  )
)
