/** The directory that the emulator has when no configuration is given; also the example of the format. */

/**
 * A configuration in the format of `parseDirectory`: one tenant; Microsoft Graph, Azure Resource Manager and an API of
 * one's own; an app with a secret, a desktop app, a web app and a single-page application; two users without passwords
 * and one with. Nothing in it opens anything but this emulator.
 */
export function exampleDirectory(tenantId = "c0ffee00-0000-4000-8000-000000000001"): string {
  return JSON.stringify(
    {
      tenants: [{
        id: tenantId,
        name: "Contoso",
        domains: ["contoso.onmicrosoft.com", "contoso.com"],
      }],
      resources: [
        {
          appId: "00000003-0000-0000-c000-000000000000",
          displayName: "Microsoft Graph",
          identifierUris: ["https://graph.microsoft.com"],
          accessTokenVersion: 1,
          scopes: ["User.Read", "Mail.Read", "Calendars.Read"],
          roles: ["User.Read.All", "Group.Read.All"],
          continuousAccess: true,
        },
        {
          appId: "797f4846-ba00-4fd7-ba43-dac1f8f63013",
          displayName: "Azure Resource Manager",
          identifierUris: ["https://management.azure.com", "https://management.core.windows.net"],
          accessTokenVersion: 1,
          scopes: ["user_impersonation"],
        },
        {
          appId: "c0ffee00-0000-4000-8000-0000000000b1",
          displayName: "Orders API",
          identifierUris: ["api://orders"],
          accessTokenVersion: 2,
          scopes: ["Orders.Read", "Orders.Write"],
          roles: ["Orders.Read.All", "Orders.Write.All"],
        },
      ],
      apps: [
        {
          clientId: "c0ffee00-0000-4000-8000-0000000000a1",
          displayName: "Nightly job",
          secrets: [{ value: "emulator-secret" }],
          redirectUris: { web: ["http://localhost:3000/callback"] },
          permissions: [
            {
              resource: "https://graph.microsoft.com",
              roles: ["User.Read.All"],
              scopes: ["User.Read"],
            },
            {
              resource: "api://orders",
              roles: ["Orders.Read.All"],
              scopes: ["Orders.Read"],
            },
          ],
        },
        {
          clientId: "c0ffee00-0000-4000-8000-0000000000a2",
          displayName: "Command line",
          publicClient: true,
          redirectUris: { publicClient: ["http://localhost"] },
          permissions: [{ resource: "https://graph.microsoft.com", scopes: ["User.Read"] }],
        },
        {
          clientId: "c0ffee00-0000-4000-8000-0000000000c1",
          displayName: "Desktop app",
          publicClient: true,
          redirectUris: { publicClient: ["http://localhost", "http://127.0.0.1"] },
          permissions: [
            { resource: "https://graph.microsoft.com", userConsent: ["User.Read", "Mail.Read"] },
            { resource: "api://orders", userConsent: ["Orders.Read"] },
            { resource: "https://management.azure.com", userConsent: ["user_impersonation"] },
          ],
        },
        {
          clientId: "c0ffee00-0000-4000-8000-0000000000c2",
          displayName: "Web shop",
          secrets: [{ value: "web-shop-secret" }],
          redirectUris: {
            web: ["http://localhost:8400/callback", "https://shop.contoso.com/signin-oidc"],
          },
          permissions: [
            { resource: "https://graph.microsoft.com", scopes: ["User.Read"] },
            { resource: "api://orders", userConsent: ["Orders.Read", "Orders.Write"] },
          ],
        },
        {
          clientId: "c0ffee00-0000-4000-8000-0000000000c3",
          displayName: "Shop front",
          redirectUris: { spa: ["http://localhost:3000", "https://shop.contoso.com/"] },
          permissions: [{ resource: "api://orders", userConsent: ["Orders.Read"] }],
        },
      ],
      users: [
        {
          id: "c0ffee00-0000-4000-8000-0000000000d1",
          userPrincipalName: "ada@contoso.onmicrosoft.com",
          displayName: "Ada Lovelace",
        },
        {
          id: "c0ffee00-0000-4000-8000-0000000000d2",
          userPrincipalName: "grace@contoso.onmicrosoft.com",
          displayName: "Grace Hopper",
        },
        {
          id: "c0ffee00-0000-4000-8000-0000000000d3",
          userPrincipalName: "alan@contoso.onmicrosoft.com",
          displayName: "Alan Turing",
          password: "emulator-password",
        },
      ],
    },
    undefined,
    2,
  );
}
