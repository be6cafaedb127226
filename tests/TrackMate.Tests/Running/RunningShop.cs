namespace TrackMate.Tests.Running;

/// <summary>A server and the sample shop that tells it, for a class of tests or for one. Tests that share them keep apart by e-mails of their own.</summary>
public sealed class RunningShop : IAsyncLifetime
{
    private ServerProcess? server;
    private ShopProcess? shop;

    public ServerProcess Server => server ?? throw new InvalidOperationException("The server is not started.");

    public ShopProcess Shop => shop ?? throw new InvalidOperationException("The shop is not started.");

    public async ValueTask InitializeAsync()
    {
        server = await ServerProcess.StartAsync();
        shop = await ShopProcess.StartAsync(server.Address);
    }

    public async ValueTask DisposeAsync()
    {
        if (shop is not null) await shop.DisposeAsync();
        if (server is not null) await server.DisposeAsync();
    }
}
