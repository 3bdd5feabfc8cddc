export { Alerts } from "./Alert.ts"
export { RawTransaction, RawTransactions } from "./RawTransaction.ts"
export { DeadLetter, DeadLetters, type FailedRecord, makeDeadLetter } from "./DeadLetter.ts"
export { MaintenanceRun, MaintenanceRuns } from "./MaintenanceRun.ts"
export {
  type EnteredRecord,
  type FilteredRecords,
  Ledger,
  LedgerEntry,
  ledgerService,
  makeFilteredEntry,
  makeLedgerEntry
} from "./Ledger.ts"
export { LoanApplications } from "./LoanApplication.ts"
export { Customers } from "./Customer.ts"
export { ExternalChecks, InternalChecks } from "./RoutedApplication.ts"
export { LoanDecisions } from "./LoanDecision.ts"
export { FailedApplications } from "./FailedApplication.ts"
export { PaymentEvents } from "./PaymentEvent.ts"
export { EnrichedPayments, LargeClaims } from "./EnrichedPayment.ts"
export { FailedPayments } from "./FailedPayment.ts"
export { Authentication, Login } from "./Login.ts"
export { SecurityAlerts } from "./SecurityAlert.ts"
export { Click, Clickstream } from "./Clickstream.ts"
export { SessionSummaries } from "./SessionSummary.ts"
export { Transactions } from "./Transaction.ts"
export { FraudFeatures } from "./FraudFeature.ts"
export { OperationsAlerts } from "./OperationsAlert.ts"
export { contracts } from "./Contracts.ts"
