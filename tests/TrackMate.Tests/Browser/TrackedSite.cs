using TrackMate.Tests.Running;

namespace TrackMate.Tests.Browser;

/// <summary>A server and a website that it tracks, for a class of tests.</summary>
public sealed class TrackedSite : IAsyncLifetime
{
    private ServerProcess? server;
    private PageHost? pages;

    public ServerProcess Server => server ?? throw new InvalidOperationException("The server is not started.");

    public PageHost Pages => pages ?? throw new InvalidOperationException("The website is not started.");

    /// <summary>The server's address without a slash at its end, as pages name it.</summary>
    public string ServerUrl => Server.Address.ToString().TrimEnd('/');

    public async ValueTask InitializeAsync()
    {
        server = await ServerProcess.StartAsync();
        pages = await PageHost.StartAsync();
    }

    /// <summary>What the server has kept of messages that it did not accept.</summary>
    public List<string> ReadRejected()
    {
        return StoreUnderTest.Read(Server.DataFolder, "SELECT CAST(status AS text) || ' ' || detail FROM rejected ORDER BY id", 1).ConvertAll(row => row[0]!);
    }

    public async ValueTask DisposeAsync()
    {
        if (pages is not null) await pages.DisposeAsync();
        if (server is not null) await server.DisposeAsync();
    }
}
