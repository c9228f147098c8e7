// The vault: by roles alone, with what was deleted kept, and a log of who opened what.
@description('Name of the vault, of the whole world: at most 24 characters.')
@maxLength(24)
param name string

@description('Region of the vault.')
param location string

@description('Object ids of the service principals that read secrets.')
param principalIds string[]

@description('Object ids of who puts secrets in.')
param operatorIds string[]

@description('What the operators are.')
param operatorType string

@description('Addresses that may reach it; without any, all.')
param allowedAddresses string[]

@description('Id of the Log Analytics workspace that its log goes to.')
param workspaceId string

@description('For how many days a deleted secret can be had back.')
param retentionDays int

@description('Tags of the resources.')
param tags object

// https://learn.microsoft.com/azure/role-based-access-control/built-in-roles
var secretsUser = subscriptionResourceId('Microsoft.Authorization/roleDefinitions', '4633458b-17de-408a-b874-0445c86b69e6')
var secretsOfficer = subscriptionResourceId('Microsoft.Authorization/roleDefinitions', 'b86a8fe4-44ce-4948-aee5-eccb2c155cd7')

resource vault 'Microsoft.KeyVault/vaults@2023-07-01' = {
  name: name
  location: location
  tags: tags
  properties: {
    tenantId: tenant().tenantId
    sku: {
      family: 'A'
      name: 'standard'
    }
    enableRbacAuthorization: true
    enableSoftDelete: true
    softDeleteRetentionInDays: retentionDays
    enablePurgeProtection: true
    networkAcls: {
      defaultAction: empty(allowedAddresses) ? 'Allow' : 'Deny'
      bypass: 'None'
      ipRules: [
        for address in allowedAddresses: {
          value: address
        }
      ]
    }
  }
}

resource read 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for principalId in principalIds: {
    name: guid(vault.id, principalId, secretsUser)
    scope: vault
    properties: {
      principalId: principalId
      principalType: 'ServicePrincipal'
      roleDefinitionId: secretsUser
    }
  }
]

resource write 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for operatorId in operatorIds: {
    name: guid(vault.id, operatorId, secretsOfficer)
    scope: vault
    properties: {
      principalId: operatorId
      principalType: operatorType
      roleDefinitionId: secretsOfficer
    }
  }
]

resource log 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'audit'
  scope: vault
  properties: {
    workspaceId: workspaceId
    logs: [
      {
        categoryGroup: 'audit'
        enabled: true
      }
    ]
  }
}

@description('Address of the vault.')
output url string = vault.properties.vaultUri
