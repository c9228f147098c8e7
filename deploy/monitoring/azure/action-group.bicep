// Who is told of an alert.
@description('Name of the action group.')
param name string

@description('Who is told, by mail.')
param emailAddresses string[]

@description('Tags of the resource.')
param tags object

resource actionGroup 'Microsoft.Insights/actionGroups@2023-01-01' = {
  name: name
  location: 'global'
  tags: tags
  properties: {
    enabled: true
    // At most 12 characters; mails begin with it.
    groupShortName: take(name, 12)
    emailReceivers: [
      for (address, i) in emailAddresses: {
        name: 'mail-${i}'
        emailAddress: address
        useCommonAlertSchema: true
      }
    ]
  }
}

@description('Id of the action group.')
output id string = actionGroup.id
