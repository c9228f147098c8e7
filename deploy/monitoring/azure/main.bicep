// What watches selvedge in Azure Monitor: an action group, alert rules, saved queries and a workbook, over one Log Analytics workspace.
// docs/operations/monitoring.md says how to deploy it, and what to do about each alert.
//
// Whoever deploys it needs Monitoring Contributor on the resource group and Log Analytics Reader on the workspace. Nothing in it has an identity, is given
// a role or holds a secret: a rule reads by the rights of who made it.
targetScope = 'resourceGroup'

@description('Id of the Log Analytics workspace that the Application Insights of selvedge write to.')
param workspaceId string

@description('Region of the resources; that of the workspace.')
param location string = resourceGroup().location

@description('What the names of the resources begin with.')
@minLength(1)
@maxLength(40)
param name string = 'selvedge'

@description('Who is told, by mail. With nobody alerts are still seen in the portal.')
param emailAddresses string[] = []

@description('Whether the alert rules are in force.')
param enabled bool = true

@description('Tags of all resources.')
param tags object = {}

module actionGroup 'action-group.bicep' = {
  name: '${name}-action-group'
  params: {
    name: name
    emailAddresses: emailAddresses
    tags: tags
  }
}

module alerts 'alerts.bicep' = {
  name: '${name}-alerts'
  params: {
    workspaceId: workspaceId
    actionGroupId: actionGroup.outputs.id
    location: location
    name: name
    enabled: enabled
    tags: tags
  }
}

module queries 'queries.bicep' = {
  name: '${name}-queries'
  params: {
    location: location
    name: name
    tags: tags
  }
}

module workbook 'workbook.bicep' = {
  name: '${name}-workbook'
  params: {
    workspaceId: workspaceId
    location: location
    name: name
    tags: tags
  }
}
