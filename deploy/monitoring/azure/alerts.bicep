// The alert rules, one for each threshold. A query has its threshold in it and answers a row where it is passed: the rule fires on any row.
@description('Id of the Log Analytics workspace that is asked.')
param workspaceId string

@description('Id of the action group that is told.')
param actionGroupId string

@description('Region of the rules; that of the workspace.')
param location string

@description('What the names of the rules begin with.')
param name string

@description('Whether the rules are in force.')
param enabled bool

@description('Tags of the rules.')
param tags object

// Severity 1 is an error, 2 a warning, 3 a matter of information.
var alerts = [
  {
    name: 'SelvedgeRequestsSlow'
    description: '95 % of the requests take up to more than 5 s.'
    severity: 2
    window: 'PT5M'
    query: loadTextContent('alerts/SelvedgeRequestsSlow.kql')
    runbook: 'docs/operations/monitoring.md#requests'
  }
  {
    name: 'SelvedgeRequestsSlowOnAverage'
    description: 'A request takes more than 5 s on average.'
    severity: 2
    window: 'PT5M'
    query: loadTextContent('alerts/SelvedgeRequestsSlowOnAverage.kql')
    runbook: 'docs/operations/monitoring.md#requests'
  }
  {
    name: 'SelvedgeRequestRateHigh'
    description: 'More than 100 requests a minute.'
    severity: 3
    window: 'PT5M'
    query: loadTextContent('alerts/SelvedgeRequestRateHigh.kql')
    runbook: 'docs/operations/monitoring.md#requests'
  }
  {
    name: 'SelvedgeRequestErrorRateHigh'
    description: 'More than 5 % of the requests fail.'
    severity: 2
    window: 'PT5M'
    query: loadTextContent('alerts/SelvedgeRequestErrorRateHigh.kql')
    runbook: 'docs/operations/monitoring.md#requests'
  }
  {
    name: 'SelvedgeRequestErrors'
    description: 'More than 10 requests failed in 5 minutes.'
    severity: 1
    window: 'PT5M'
    query: loadTextContent('alerts/SelvedgeRequestErrors.kql')
    runbook: 'docs/operations/monitoring.md#requests'
  }
  {
    name: 'SelvedgeRetryRateHigh'
    description: 'More than 10 % of the requests are sent again.'
    severity: 3
    window: 'PT5M'
    query: loadTextContent('alerts/SelvedgeRetryRateHigh.kql')
    runbook: 'docs/operations/monitoring.md#retries-and-circuit-breakers'
  }
  {
    name: 'SelvedgeRetries'
    description: 'More than 50 requests were sent again in 15 minutes.'
    severity: 3
    window: 'PT15M'
    query: loadTextContent('alerts/SelvedgeRetries.kql')
    runbook: 'docs/operations/monitoring.md#retries-and-circuit-breakers'
  }
  {
    name: 'SelvedgeCircuitBreakerOpens'
    description: 'Circuit breakers opened more than 3 times in an hour.'
    severity: 2
    window: 'PT1H'
    query: loadTextContent('alerts/SelvedgeCircuitBreakerOpens.kql')
    runbook: 'docs/operations/monitoring.md#retries-and-circuit-breakers'
  }
  {
    name: 'SelvedgeCircuitBreakerFlaps'
    description: 'Circuit breakers opened more than 5 times in 5 minutes.'
    severity: 2
    window: 'PT5M'
    query: loadTextContent('alerts/SelvedgeCircuitBreakerFlaps.kql')
    runbook: 'docs/operations/monitoring.md#retries-and-circuit-breakers'
  }
  {
    name: 'SelvedgeRollbacks'
    description: 'More than one deployment was rolled back in a day.'
    severity: 2
    window: 'P1D'
    query: loadTextContent('alerts/SelvedgeRollbacks.kql')
    runbook: 'docs/operations/monitoring.md#deployments'
  }
  {
    name: 'SelvedgeDeploymentsSlow'
    description: '95 % of the deployments take up to more than 10 minutes.'
    severity: 2
    window: 'PT1H'
    query: loadTextContent('alerts/SelvedgeDeploymentsSlow.kql')
    runbook: 'docs/operations/monitoring.md#deployments'
  }
  {
    name: 'SelvedgeTokenRefreshFails'
    description: 'An access token could not be had.'
    severity: 1
    window: 'PT5M'
    query: loadTextContent('alerts/SelvedgeTokenRefreshFails.kql')
    runbook: 'docs/operations/monitoring.md#sign-in-and-configuration'
  }
  {
    name: 'SelvedgeConfigurationRefused'
    description: 'A configuration was refused.'
    severity: 3
    window: 'PT5M'
    query: loadTextContent('alerts/SelvedgeConfigurationRefused.kql')
    runbook: 'docs/operations/monitoring.md#sign-in-and-configuration'
  }
  {
    name: 'SelvedgeWorkspaceCreationSlow'
    description: 'Creating a workspace takes more than 60 s on average.'
    severity: 3
    window: 'PT5M'
    query: loadTextContent('alerts/SelvedgeWorkspaceCreationSlow.kql')
    runbook: 'docs/operations/monitoring.md#deployments'
  }
]

resource rules 'Microsoft.Insights/scheduledQueryRules@2023-12-01' = [
  for alert in alerts: {
    name: '${name}-${alert.name}'
    location: location
    tags: tags
    kind: 'LogAlert'
    properties: {
      displayName: alert.name
      description: '${alert.description} What to do: ${alert.runbook}'
      severity: alert.severity
      enabled: enabled
      autoMitigate: true
      scopes: [workspaceId]
      evaluationFrequency: 'PT5M'
      windowSize: alert.window
      criteria: {
        allOf: [
          {
            query: alert.query
            timeAggregation: 'Count'
            operator: 'GreaterThan'
            threshold: 0
            failingPeriods: {
              numberOfEvaluationPeriods: 1
              minFailingPeriodsToAlert: 1
            }
          }
        ]
      }
      actions: {
        actionGroups: [actionGroupId]
        customProperties: {
          runbook: alert.runbook
        }
      }
    }
  }
]
