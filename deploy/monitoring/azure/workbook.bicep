// The workbook: the same queries, as pages to look at. Operations first, what hardens it after.
@description('Id of the Log Analytics workspace that is asked.')
param workspaceId string

@description('Region of the workbook.')
param location string

@description('What the name of the workbook is made of.')
param name string

@description('Tags of the workbook.')
param tags object

var parts = [
  {
    title: 'Deployments'
    query: loadTextContent('queries/deployments.kql')
  }
  {
    title: 'Requests a minute'
    query: loadTextContent('queries/request-rate.kql')
  }
  {
    title: 'Success rate of requests'
    query: loadTextContent('queries/success-rate.kql')
  }
  {
    title: 'Duration of requests'
    query: loadTextContent('queries/request-duration.kql')
  }
  {
    title: 'Recent errors'
    query: loadTextContent('queries/recent-errors.kql')
  }
  {
    title: 'Retries'
    query: loadTextContent('queries/retries.kql')
  }
  {
    title: 'Success of what was sent again'
    query: loadTextContent('queries/retry-success.kql')
  }
  {
    title: 'Circuit breakers'
    query: loadTextContent('queries/circuit-breakers.kql')
  }
  {
    title: 'Throttling'
    query: loadTextContent('queries/throttling.kql')
  }
  {
    title: 'Rollbacks, sign-in, configuration'
    query: loadTextContent('queries/counters.kql')
  }
]

var timeRange = {
  type: 9
  content: {
    version: 'KqlParameterItem/1.0'
    parameters: [
      {
        id: guid(name, 'range')
        version: 'KqlParameterItem/1.0'
        name: 'Range'
        label: 'Time range'
        type: 4
        value: { durationMs: 86400000 }
        typeSettings: {
          selectableValues: [
            { durationMs: 3600000 }
            { durationMs: 86400000 }
            { durationMs: 604800000 }
            { durationMs: 2592000000 }
          ]
        }
      }
    ]
  }
  name: 'range'
}

var charts = [
  for part in parts: {
    type: 3
    content: {
      version: 'KqlItem/1.0'
      title: part.title
      query: part.query
      size: 0
      timeContextFromParameter: 'Range'
      queryType: 0
      resourceType: 'microsoft.operationalinsights/workspaces'
      crossComponentResources: [workspaceId]
    }
    name: part.title
  }
]

resource workbook 'Microsoft.Insights/workbooks@2023-06-01' = {
  // Names of workbooks are GUIDs.
  name: guid(resourceGroup().id, name)
  location: location
  tags: tags
  kind: 'shared'
  properties: {
    displayName: name
    category: 'workbook'
    sourceId: workspaceId
    serializedData: string({
      version: 'Notebook/1.0'
      items: concat([timeRange], charts)
    })
  }
}
