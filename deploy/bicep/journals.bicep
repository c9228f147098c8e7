// The storage of journals: no account key, no public access. Roles are on the container, not on the account.
@description('Name of the storage account, of the whole world: at most 24 lower case letters and digits.')
@maxLength(24)
param name string

@description('Region of the account.')
param location string

@description('Object ids of the service principals that write journals.')
param principalIds string[]

@description('Addresses that may reach it; without any, all.')
param allowedAddresses string[]

@description('Id of the Log Analytics workspace that its log goes to.')
param workspaceId string

@description('For how many days what was deleted or overwritten can be had back.')
param retentionDays int

@description('Tags of the resources.')
param tags object

// https://learn.microsoft.com/azure/role-based-access-control/built-in-roles
var blobDataContributor = subscriptionResourceId('Microsoft.Authorization/roleDefinitions', 'ba92f5b4-2d11-453d-a403-e96b0029c9fe')

var containerName = 'journals'

resource account 'Microsoft.Storage/storageAccounts@2023-05-01' = {
  name: name
  location: location
  tags: tags
  kind: 'StorageV2'
  sku: {
    // Three copies in as many zones: a journal is what a rollback is made of.
    name: 'Standard_ZRS'
  }
  properties: {
    accessTier: 'Hot'
    allowSharedKeyAccess: false
    defaultToOAuthAuthentication: true
    allowBlobPublicAccess: false
    allowCrossTenantReplication: false
    supportsHttpsTrafficOnly: true
    minimumTlsVersion: 'TLS1_2'
    networkAcls: {
      defaultAction: empty(allowedAddresses) ? 'Allow' : 'Deny'
      bypass: 'None'
      ipRules: [
        for address in allowedAddresses: {
          action: 'Allow'
          value: address
        }
      ]
    }
  }
}

resource blobs 'Microsoft.Storage/storageAccounts/blobServices@2023-05-01' = {
  parent: account
  name: 'default'
  properties: {
    isVersioningEnabled: true
    deleteRetentionPolicy: {
      enabled: true
      days: retentionDays
    }
    containerDeleteRetentionPolicy: {
      enabled: true
      days: retentionDays
    }
  }
}

resource container 'Microsoft.Storage/storageAccounts/blobServices/containers@2023-05-01' = {
  parent: blobs
  name: containerName
  properties: {
    publicAccess: 'None'
  }
}

// A lock is renewed every 20 s while something is deployed, and each time leaves a version. What journals hold, customers' definitions among it, is
// gone for good only when its versions are.
resource lifecycle 'Microsoft.Storage/storageAccounts/managementPolicies@2023-05-01' = {
  parent: account
  name: 'default'
  properties: {
    policy: {
      rules: [
        {
          name: 'old-versions'
          enabled: true
          type: 'Lifecycle'
          definition: {
            filters: {
              blobTypes: ['blockBlob']
            }
            actions: {
              version: {
                delete: {
                  daysAfterCreationGreaterThan: retentionDays
                }
              }
            }
          }
        }
      ]
    }
  }
}

// It writes, reads, lists and deletes (locks, and journals whose time is over): no lesser role has all of these.
resource write 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for principalId in principalIds: {
    name: guid(container.id, principalId, blobDataContributor)
    scope: container
    properties: {
      principalId: principalId
      principalType: 'ServicePrincipal'
      roleDefinitionId: blobDataContributor
    }
  }
]

resource log 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'audit'
  scope: blobs
  properties: {
    workspaceId: workspaceId
    logs: [
      {
        category: 'StorageDelete'
        enabled: true
      }
    ]
  }
}

@description('Address of the container, as the setting rollback.journal has it.')
output address string = 'az://${account.name}/${containerName}'
