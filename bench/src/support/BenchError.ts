/** What a user can put right: one line on stderr, exit code 1. Anything else is a defect. */

export class BenchError extends Error {
  /** What did not work, why, and what to do. */
  static readonly of = (what: string, cause: unknown, todo: string): BenchError =>
    new BenchError(`${what} (${cause instanceof Error ? cause.message.split("\n")[0] : "unknown cause"}): ${todo}`)
}

/** Runs a program's main; a `BenchError` is told in one line. */
export const orTold = async (main: () => Promise<void>): Promise<void> => {
  try {
    await main()
  } catch (error) {
    if (!(error instanceof BenchError)) throw error
    process.stderr.write(`bench: ${error.message}\n`)
    process.exitCode = 1
  }
}
