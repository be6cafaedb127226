namespace TrackMate.Tests.Running;

/// <summary>Several servers over one database, each with a folder of its own. They end with the test that started them.</summary>
public sealed class SharedServers : IAsyncDisposable
{
    private readonly List<ServerProcess> all = [];
    private readonly PostgresSchema? own;

    private SharedServers(string connection, PostgresSchema? own)
    {
        this.own = own;
        Connection = connection;
    }

    public string Connection { get; }

    /// <summary>Also those that have ended.</summary>
    public IReadOnlyList<ServerProcess> All => all;

    public ServerProcess this[int index] => all[index];

    /// <summary>Starts them at the same moment: in a new schema each wants to make the tables, the company and the first key of cookies.</summary>
    /// <param name="connection">Where; none makes a schema that goes with them.</param>
    public static async Task<SharedServers> StartAsync(int count = 2, string? connection = null)
    {
        var own = connection is null ? await PostgresSchema.CreateAsync() : null;
        var servers = new SharedServers(connection ?? own!.Connection, own);
        try
        {
            await Task.WhenAll(Enumerable.Range(0, count).Select(_ => servers.AddAsync()));
            return servers;
        }
        catch
        {
            await servers.DisposeAsync();
            throw;
        }
    }

    public async Task<ServerProcess> AddAsync()
    {
        var server = await ServerProcess.StartAsync(settings: new Dictionary<string, string?> { ["TRACKMATE_DATABASE"] = Connection });
        lock (all) all.Add(server);
        return server;
    }

    /// <summary>A person at the command line beside one of them.</summary>
    public CommandLineRunner Beside(ServerProcess server) => new(server) { Environment = { ["TRACKMATE_DATABASE"] = Connection } };

    public async ValueTask DisposeAsync()
    {
        foreach (var server in all) await server.DisposeAsync();
        if (own is not null) await own.DisposeAsync();
    }
}
