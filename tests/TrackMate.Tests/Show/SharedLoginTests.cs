using System.Net;
using TrackMate.Tests.Running;

namespace TrackMate.Tests.Show;

/// <summary>Several servers over one database are one dashboard: whichever a proxy chooses for a request.</summary>
[OwnStore]
public sealed class SharedLoginTests
{
    private const string People = $"/c/{ServerProcess.CompanyId}/people";
    private const string GetStarted = $"/c/{ServerProcess.CompanyId}/get-started";

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Whoever_logs_in_on_one_server_is_logged_in_on_the_other_until_the_password_changes()
    {
        await using var servers = await SharedServers.StartAsync();
        var (one, other) = (servers[0], servers[1]);
        using var person = new DashboardClient();

        Assert.Equal(HttpStatusCode.Redirect, await person.LogInAsync(one));
        foreach (var server in servers.All)
        {
            // Who was made by the other one is known a moment later.
            await Eventually.TrueAsync(
                async () =>
                {
                    using var page = await person.GetAsync(server, People);
                    return page.StatusCode is HttpStatusCode.OK;
                },
                () => $"Whoever has logged in is asked again by {server.Address}.\n{server.Output}");
        }

        using (var made = await person.SubmitAsync(one, other, GetStarted, ("_handler", "key"), ("name", "Shop back end"), ("scope", "read")))
        {
            Assert.Equal(HttpStatusCode.OK, made.StatusCode);
            Assert.Contains("it is shown only once", await made.Content.ReadAsStringAsync(Cancel));
        }

        using (var leaver = new DashboardClient())
        {
            Assert.Equal(HttpStatusCode.Redirect, await leaver.LogInAsync(one));
            using var copy = leaver.Copy();
            using (var left = await leaver.LogOutAsync(one, one, People)) Assert.Equal(HttpStatusCode.Redirect, left.StatusCode);
            await Eventually.TrueAsync(
                async () =>
                {
                    using var page = await copy.GetAsync(other, People);
                    return page.StatusCode is HttpStatusCode.Redirect;
                },
                () => "A copy of a cookie that somebody logged out of opens the other server.");
        }

        using (var trackmate = servers.Beside(one)) await trackmate.DoAsync("admin reset-password --password-stdin", "another battery staple\n");
        foreach (var server in servers.All)
        {
            await Eventually.TrueAsync(
                async () =>
                {
                    using var page = await person.GetAsync(server, People);
                    return page.StatusCode is HttpStatusCode.Redirect;
                },
                () => $"The old cookie still opens {server.Address}.\n{server.Output}");
        }

        Assert.Equal(HttpStatusCode.Unauthorized, await person.LogInAsync(other));
        Assert.Equal(HttpStatusCode.Redirect, await person.LogInAsync(other, "another battery staple"));
        using var again = await person.GetAsync(one, People);
        Assert.Equal(HttpStatusCode.OK, again.StatusCode);
        Assert.False(Directory.Exists(Path.Combine(one.DataFolder, "keys")), "A server keeps keys of its own in its folder.");
    }
}
