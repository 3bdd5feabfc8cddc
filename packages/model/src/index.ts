export { RawTransaction, RawTransactions } from "./RawTransaction.ts"
export { DeadLetter, DeadLetters, type FailedRecord, makeDeadLetter } from "./DeadLetter.ts"
export { MaintenanceRun, MaintenanceRuns } from "./MaintenanceRun.ts"
export { type EnteredRecord, Ledger, LedgerEntry, makeLedgerEntry } from "./Ledger.ts"
