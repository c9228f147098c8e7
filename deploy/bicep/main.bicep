// What selvedge needs in Azure: a vault for secrets, a container for journals, Application Insights; and for who deploys the least roles on them.
// README.md beside this file says how to deploy it.
//
// Whoever deploys it needs Contributor and Role Based Access Control Administrator on the resource group. Nothing in it holds a secret.
targetScope = 'resourceGroup'

@description('What the names of the resources begin with: lower case letters and digits, the same for all.')
@minLength(3)
@maxLength(11)
param name string = 'selvedge'

@description('Region of the resources.')
param location string = resourceGroup().location

@description('Object ids of the service principals (not the applications) that deploy, or serve the status page. Not of the one that plans pull requests: it needs no secret and no journal.')
param principalIds string[]

@description('Object ids of the groups or people who put secrets into the vault.')
param operatorIds string[] = []

@description('What the operators are.')
@allowed(['Group', 'User'])
param operatorType string = 'Group'

@description('Object ids of the service principals that send telemetry to Application Insights signed in, such as that of a collector. selvedge itself does so by the connection string, and needs no role for it.')
param telemetryPrincipalIds string[] = []

@description('Addresses or ranges, such as 203.0.113.7, that may reach the vault and the journals. Without any the network is no border, and the roles alone decide: hosted runners have no addresses of their own.')
param allowedAddresses string[] = []

@description('Id of a Log Analytics workspace; without it one is made.')
param workspaceId string = ''

@description('For how many days what was deleted or overwritten can be had back, secrets and blobs. A vault keeps the value it was made with.')
@minValue(7)
@maxValue(90)
param retentionDays int = 30

@description('Whether the alert rules, queries and the workbook of deploy/monitoring are made, too.')
param monitoring bool = false

@description('Who is told of alerts, by mail.')
param emailAddresses string[] = []

@description('Tags of all resources.')
param tags object = {}

// The names of vaults and storage accounts are the whole world's.
var unique = '${name}${uniqueString(resourceGroup().id)}'

module insights 'insights.bicep' = {
  name: '${name}-insights'
  params: {
    name: name
    location: location
    workspaceId: workspaceId
    telemetryPrincipalIds: telemetryPrincipalIds
    tags: tags
  }
}

module vault 'vault.bicep' = {
  name: '${name}-vault'
  params: {
    name: unique
    location: location
    principalIds: principalIds
    operatorIds: operatorIds
    operatorType: operatorType
    allowedAddresses: allowedAddresses
    workspaceId: insights.outputs.workspaceId
    retentionDays: retentionDays
    tags: tags
  }
}

module journals 'journals.bicep' = {
  name: '${name}-journals'
  params: {
    name: unique
    location: location
    principalIds: principalIds
    allowedAddresses: allowedAddresses
    workspaceId: insights.outputs.workspaceId
    retentionDays: retentionDays
    tags: tags
  }
}

module alerts '../monitoring/azure/main.bicep' = if (monitoring) {
  name: '${name}-monitoring'
  params: {
    workspaceId: insights.outputs.workspaceId
    location: location
    name: name
    emailAddresses: emailAddresses
    tags: tags
  }
}

@description('KEY_VAULT_URL')
output keyVaultUrl string = vault.outputs.url

@description('SELVEDGE_ROLLBACK__JOURNAL; a folder for each project goes behind it.')
output journal string = journals.outputs.address

@description('What the Application Insights are called; their connection string is APPLICATIONINSIGHTS_CONNECTION_STRING. It is no output: whoever may read deployments would read it.')
output applicationInsights string = insights.outputs.name
