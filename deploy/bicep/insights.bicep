// Application Insights over a Log Analytics workspace: the one that there is, or one of its own.
@description('Name of the resources.')
param name string

@description('Region of the resources.')
param location string

@description('Id of a Log Analytics workspace; empty to make one.')
param workspaceId string

@description('Object ids of the service principals that send telemetry signed in.')
param telemetryPrincipalIds string[]

@description('Tags of the resources.')
param tags object

// https://learn.microsoft.com/azure/role-based-access-control/built-in-roles
var metricsPublisher = subscriptionResourceId('Microsoft.Authorization/roleDefinitions', '3913510d-42f4-4e42-8a64-420c390055eb')

resource workspace 'Microsoft.OperationalInsights/workspaces@2023-09-01' = if (empty(workspaceId)) {
  name: name
  location: location
  tags: tags
  properties: {
    sku: {
      name: 'PerGB2018'
    }
    retentionInDays: 30
    features: {
      // Whoever may read a resource reads its logs, and no others.
      enableLogAccessUsingOnlyResourcePermissions: true
    }
  }
}

resource insights 'Microsoft.Insights/components@2020-02-02' = {
  name: name
  location: location
  tags: tags
  kind: 'other'
  properties: {
    Application_Type: 'other'
    WorkspaceResourceId: empty(workspaceId) ? workspace.id : workspaceId
    // selvedge sends by the key of the connection string, which is refused where this is true.
    DisableLocalAuth: false
  }
}

resource publish 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for principalId in telemetryPrincipalIds: {
    name: guid(insights.id, principalId, metricsPublisher)
    scope: insights
    properties: {
      principalId: principalId
      principalType: 'ServicePrincipal'
      roleDefinitionId: metricsPublisher
    }
  }
]

@description('Id of the workspace.')
output workspaceId string = empty(workspaceId) ? workspace.id : workspaceId

@description('Name of the Application Insights.')
output name string = insights.name
