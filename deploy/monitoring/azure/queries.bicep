// The saved queries, in a query pack: to be found in Log Analytics, under Queries.
@description('Region of the query pack.')
param location string

@description('Name of the query pack.')
param name string

@description('Tags of the query pack.')
param tags object

// Their first line says what each answers.
var queries = [
  {
    title: 'Deployments'
    body: loadTextContent('queries/deployments.kql')
  }
  {
    title: 'Everything of one deployment'
    body: loadTextContent('queries/one-deployment.kql')
  }
  {
    title: 'Requests a minute'
    body: loadTextContent('queries/request-rate.kql')
  }
  {
    title: 'Success rate of requests'
    body: loadTextContent('queries/success-rate.kql')
  }
  {
    title: 'Duration of requests'
    body: loadTextContent('queries/request-duration.kql')
  }
  {
    title: 'Recent errors'
    body: loadTextContent('queries/recent-errors.kql')
  }
  {
    title: 'Retries'
    body: loadTextContent('queries/retries.kql')
  }
  {
    title: 'Success of what was sent again'
    body: loadTextContent('queries/retry-success.kql')
  }
  {
    title: 'Circuit breakers'
    body: loadTextContent('queries/circuit-breakers.kql')
  }
  {
    title: 'Throttling'
    body: loadTextContent('queries/throttling.kql')
  }
  {
    title: 'Rollbacks, sign-in, configuration'
    body: loadTextContent('queries/counters.kql')
  }
]

resource pack 'Microsoft.OperationalInsights/queryPacks@2019-09-01' = {
  name: name
  location: location
  tags: tags
  properties: {}
}

resource saved 'Microsoft.OperationalInsights/queryPacks/queries@2019-09-01' = [
  for query in queries: {
    parent: pack
    // Names of queries are GUIDs.
    name: guid(pack.id, query.title)
    properties: {
      displayName: 'selvedge: ${query.title}'
      description: substring(split(query.body, '\n')[0], 3)
      body: query.body
      related: {
        categories: ['applications']
        resourceTypes: ['microsoft.operationalinsights/workspaces']
      }
    }
  }
]
