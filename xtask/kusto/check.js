// Reads queries as Azure Monitor does, and says what is wrong with them. Exit code 1 where something is.
//
// The tables are those that Application Insights write to, with the columns that there are for what selvedge tells:
// https://learn.microsoft.com/azure/azure-monitor/reference/tables-index#application-insights
const { readFileSync } = require("node:fs");
const { dirname, join } = require("node:path");
const { runInThisContext } = require("node:vm");

const all =
  "TimeGenerated: datetime, Type: string, AppRoleName: string, AppRoleInstance: string, AppVersion: string, ItemCount: int, " +
  "OperationId: string, OperationName: string, ParentId: string, Properties: dynamic";
const tables = {
  AppRequests:
    "Id: string, Name: string, Url: string, DurationMs: real, ResultCode: string, Success: bool, Measurements: dynamic",
  AppDependencies:
    "Id: string, Name: string, DependencyType: string, Target: string, Data: string, DurationMs: real, ResultCode: string, " +
    "Success: bool, Measurements: dynamic",
  AppEvents: "Name: string, Measurements: dynamic",
  AppMetrics: "Name: string, Sum: real, Min: real, Max: real",
  AppTraces: "Message: string, SeverityLevel: int, Measurements: dynamic",
  AppExceptions:
    "ExceptionType: string, OuterMessage: string, OuterType: string, Message: string, SeverityLevel: int, Measurements: dynamic",
};

// Two scripts for a page: the second finds the first in what is global.
const folder = dirname(require.resolve("@kusto/language-service-next"));
for (const script of ["bridge.min.js", "Kusto.Language.Bridge.min.js"]) {
  runInThisContext(readFileSync(join(folder, script), "utf8"), { filename: script });
}
const { GlobalState, KustoCode, Symbols } = globalThis.Kusto.Language;

const symbols = Object.entries(tables).map(([name, columns]) =>
  Symbols.TableSymbol.From(`(${all}, ${columns})`).WithName(name),
);
const workspace = GlobalState.Default.WithDatabase(new Symbols.DatabaseSymbol.ctor("workspace", symbols));
for (const file of process.argv.slice(2)) {
  const query = readFileSync(file, "utf8");
  const diagnostics = KustoCode.ParseAndAnalyze(query, workspace).GetDiagnostics();
  for (let i = 0; i < diagnostics.Count; i++) {
    const { Message, Start } = diagnostics.getItem(i);
    console.log(`${file}:${query.slice(0, Start).split("\n").length}: ${Message}`);
    process.exitCode = 1;
  }
}
