using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using Npgsql;

[assembly: AssemblyFixture(typeof(TrackMate.Tests.Running.PostgresServerOfTheRun))]

namespace TrackMate.Tests.Running;

/// <summary>How a PostgreSQL server is made and run.</summary>
public sealed record PostgresOptions
{
    /// <summary>Off for speed: what is committed then outlives a kill of the server, but not of the machine. Commits wait for the log either way.</summary>
    public bool Fsync { get; init; } = true;

    /// <summary>The language whose order text has where no COLLATE is said, as ICU names it (<c>en-US</c>); none is the order of the bytes.</summary>
    public string? Language { get; init; }

    /// <summary>Settings of <c>postgresql.conf</c> besides.</summary>
    public IReadOnlyDictionary<string, string> Settings { get; init; } = new Dictionary<string, string>();
}

/// <summary>
/// A real PostgreSQL server in a folder and on a port of its own, open to this machine only. It ends with the test that started it, and with the test run however that ends:
/// a watcher beside it holds the other end of a pipe, and stops the server and takes its folder away when nobody holds this end any more.
/// </summary>
public sealed class PostgresServer : IAsyncDisposable
{
    /// <summary>Owns the database of the tests and nothing else: a store may not need more.</summary>
    public const string User = "trackmate";
    public const string Database = "trackmate";

    /// <summary>May do all; also the user of the operating system that the server runs as when the tests run as root, for it refuses to run as root.</summary>
    private const string Superuser = "postgres";

    /// <summary>The watcher is no child of the server, which looks after its children. A word on the pipe says that the server is looked after.</summary>
    private const string Serve =
        """
        folder=$1; shift; exec 3<&0
        ( { read -r word || { kill -QUIT $$; while kill -0 $$; do sleep 0.1; done; rm -rf "$folder"; }; } <&3 >/dev/null 2>&1 & )
        exec "$@" </dev/null 3<&- >>"$folder/log" 2>&1
        """;

    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(10);
    private static readonly Lazy<Task<PostgresServer>> TheShared = new(() => StartAsync(new() { Fsync = false }));
    private static readonly Lazy<Task<(string Data, Process Keeper)>> Template = new(MakeTemplateAsync);

    private readonly PostgresOptions options;
    private Process? process;

    private PostgresServer(PostgresOptions options)
    {
        this.options = options;
        Folder = Directory.CreateTempSubdirectory("trackmate-postgres-").FullName;
        if (Environment.UserName == "root") Commands.Run("chown", [Superuser, Folder], "give a folder to the user postgres, which comes with PostgreSQL's server");
    }

    /// <summary>The server that all tests of a run share, each in a schema of its own; started by the first that asks.</summary>
    public static Task<PostgresServer> Shared => TheShared.Value;

    /// <summary>Of this server alone: its data and its log.</summary>
    public string Folder { get; }

    /// <summary>Stays the same when the server is started again.</summary>
    public int Port { get; private set; }

    /// <summary>All that the server has logged so far, over all its starts.</summary>
    public string Log => File.Exists(Path.Combine(Folder, "log")) ? File.ReadAllText(Path.Combine(Folder, "log")) : "";

    /// <summary>The database of the tests, for its owner, as key=value.</summary>
    public string Connection => new NpgsqlConnectionStringBuilder { Host = "127.0.0.1", Port = Port, Username = User, Database = Database }.ConnectionString;

    /// <summary>The database of the tests, for one who may do all.</summary>
    public string SuperuserConnection => new NpgsqlConnectionStringBuilder(Connection) { Username = Superuser }.ConnectionString;

    /// <summary>The server's own process first, then one for each connection and each of its chores; empty when it is not running.</summary>
    public IReadOnlyList<int> Processes => process is { HasExited: false } ? [process.Id, .. ChildrenOf(process.Id)] : [];

    private string Data => Path.Combine(Folder, "data");

    public static async Task<PostgresServer> StartAsync(PostgresOptions? options = null)
    {
        var server = new PostgresServer(options ?? new());
        return await server.OrGoneAsync(async () =>
        {
            if (server.options.Language is not null)
            {
                await server.MakeAsync();
                return;
            }

            Commands.Run("cp", ["-a", (await Template.Value).Data, server.Data], "copy a folder with its owners");
            await server.StartOnFreePortAsync();
        });
    }

    /// <summary>A second server that follows this one. From then on a commit here waits until it is on the replica's disk.</summary>
    /// <remarks>One replica a server. A server with a replica that is gone waits with every commit: promote the replica, or stop this one.</remarks>
    public async Task<PostgresServer> StartReplicaAsync()
    {
        var replica = new PostgresServer(options);
        return await replica.OrGoneAsync(async () =>
        {
            await replica.RunAsync("pg_basebackup", [
                "-D", replica.Data, "-d", $"host=127.0.0.1 port={Port} user={Superuser} application_name=replica",
                "--write-recovery-conf", "--create-slot", "--slot=replica", "--checkpoint=fast", "--no-sync",
            ]);
            await replica.StartOnFreePortAsync();
            await ExecuteAsync("ALTER SYSTEM SET synchronous_standby_names = 'replica'");
            await ExecuteAsync("SELECT pg_reload_conf()");
            await Eventually.TrueAsync(async () => await ScalarAsync("SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'sync'") is 1L, () => replica.Log);
        });
    }

    /// <summary>Makes a server of its own of a replica; returns when it takes writes.</summary>
    public async Task PromoteAsync() => Assert.Equal(true, await ScalarAsync($"SELECT pg_promote(wait => true, wait_seconds => {Limit.TotalSeconds})"));

    /// <summary>Starts it again, on the same data and port, after a stop or a kill.</summary>
    public async Task StartAgainAsync()
    {
        if (!await StartedAsync()) throw new InvalidOperationException($"PostgreSQL did not start again.\n{Log}");
    }

    /// <summary>Stops it as an operator would: connections are ended and transactions rolled back, all is written.</summary>
    /// <param name="immediately">Nothing is written any more; the next start recovers from the log.</param>
    public async Task StopAsync(bool immediately = false)
    {
        var all = Processes;
        Commands.Run("kill", [immediately ? "-QUIT" : "-INT", Running.Id.ToString()], "stop a server");
        await EndedAsync(all);
    }

    /// <summary>Ends it and all its processes at once, as a power cut would (SIGKILL).</summary>
    public async Task KillAsync()
    {
        var all = Processes;
        Running.Kill(entireProcessTree: true);
        await EndedAsync(all);
    }

    /// <summary>Runs one statement for one who may do all.</summary>
    public Task ExecuteAsync(string sql, string database = Database) => ScalarAsync(sql, database);

    /// <inheritdoc cref="ExecuteAsync"/>
    /// <returns>The first column of the first row; null if there is none.</returns>
    public Task<object?> ScalarAsync(string sql, string database = Database) => AskAsync(new NpgsqlConnectionStringBuilder(SuperuserConnection) { Database = database }.ConnectionString, sql);

    /// <summary>Runs statements on a connection of their own.</summary>
    /// <returns>The first column of the first row; null if there is none.</returns>
    public static async Task<object?> AskAsync(string connectionString, string sql)
    {
        await using var connection = new NpgsqlConnection(new NpgsqlConnectionStringBuilder(connectionString) { Pooling = false }.ConnectionString);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        return await command.ExecuteScalarAsync();
    }

    /// <summary>Whether there is such a process and it has not ended; one that has and whose parent did not ask is none.</summary>
    public static bool Runs(int processId) => StatOf(processId) is { State: not 'Z' };

    public async ValueTask DisposeAsync()
    {
        if (process is { HasExited: false }) await StopAsync(immediately: true);
        process?.Dispose();
        if (Directory.Exists(Folder)) Directory.Delete(Folder, recursive: true);
    }

    private Process Running => process is { HasExited: false } ? process : throw new InvalidOperationException("The server is not running.");

    private async Task<PostgresServer> OrGoneAsync(Func<Task> start)
    {
        try
        {
            await start();
            return this;
        }
        catch
        {
            await DisposeAsync();
            throw;
        }
    }

    /// <summary>Data with the role and the database of the tests, which takes a while to make; a run makes it once, and each server has a copy.</summary>
    private static async Task<(string Data, Process Keeper)> MakeTemplateAsync()
    {
        var server = new PostgresServer(new() { Fsync = false });

        // Like a server's watcher: it takes the folder away when nobody holds the other end of the pipe.
        var keeper = Process.Start(new ProcessStartInfo("/bin/sh", ["-c", "read -r word; rm -rf \"$1\"", "sh", server.Folder]) { RedirectStandardInput = true, UseShellExecute = false })
            ?? throw new InvalidOperationException("The watcher of the template did not start.");
        await server.OrGoneAsync(server.MakeAsync);
        await server.StopAsync();
        server.process?.Dispose();
        return (server.Data, keeper);
    }

    /// <summary>Ends what all servers of a run share.</summary>
    internal static async Task EndSharedAsync()
    {
        if (TheShared.IsValueCreated) await (await TheShared.Value).DisposeAsync();
        if (!Template.IsValueCreated) return;
        using var keeper = (await Template.Value).Keeper;
        keeper.StandardInput.Close();
        await keeper.WaitForExitAsync();
    }

    private async Task MakeAsync()
    {
        string[] language = options.Language is { } name ? ["--locale-provider=icu", $"--icu-locale={name}"] : [];
        await RunAsync("initdb", ["-D", Data, "--no-sync", "--auth=trust", $"--username={Superuser}", "--encoding=UTF8", "--locale=C.UTF-8", .. language]);
        await StartOnFreePortAsync();
        await ExecuteAsync($"CREATE ROLE {User} LOGIN", "postgres");
        await ExecuteAsync($"CREATE DATABASE {Database} OWNER {User}", "postgres");
    }

    private async Task StartOnFreePortAsync()
    {
        for (var attempt = 0; attempt < 5; attempt++)
        {
            Port = FreePort();
            if (await StartedAsync()) return;
        }

        throw new InvalidOperationException($"PostgreSQL did not start.\n{Log}");
    }

    /// <returns>Whether it takes connections; else it has ended, and its log says why.</returns>
    private async Task<bool> StartedAsync()
    {
        var settings = new Dictionary<string, string>
        {
            ["listen_addresses"] = "127.0.0.1",
            ["port"] = Port.ToString(),
            ["unix_socket_directories"] = "",
            ["max_connections"] = "200",
            ["fsync"] = options.Fsync ? "on" : "off",
            ["full_page_writes"] = options.Fsync ? "on" : "off",
        };
        foreach (var (name, value) in options.Settings) settings[name] = value;

        var start = Command("/bin/sh", ["-c", Serve, "sh", Folder, PathOf("postgres"), "-D", Data, .. settings.SelectMany(setting => new[] { "-c", $"{setting.Key}={setting.Value}" })]);
        start.RedirectStandardInput = true;
        process?.Dispose();
        process = Process.Start(start) ?? throw new InvalidOperationException("PostgreSQL did not start.");
        using var limit = new CancellationTokenSource(Limit);
        while (!process.HasExited)
        {
            if (IsReady(process.Id)) return true;
            await Task.Delay(Pause, limit.Token);
        }

        await EndedAsync([]);
        return false;
    }

    /// <summary>The eighth line of the server's own file, which pg_ctl waits for as well.</summary>
    private bool IsReady(int processId)
    {
        try
        {
            return File.ReadAllLines(Path.Combine(Data, "postmaster.pid")) is [var id, _, _, _, _, _, _, var state, ..] && id == processId.ToString() && state.StartsWith("ready", StringComparison.Ordinal);
        }
        catch (FileNotFoundException)
        {
            return false;
        }
    }

    /// <summary>Waits for the end of all of them: the next server on this data refuses while one of the last is left.</summary>
    private async Task EndedAsync(IReadOnlyList<int> processes)
    {
        using var limit = new CancellationTokenSource(Limit);
        await process!.WaitForExitAsync(limit.Token);
        await process.StandardInput.WriteLineAsync("looked after");
        process.StandardInput.Close();
        while (processes.Any(Runs)) await Task.Delay(Pause, limit.Token);
    }

    /// <summary>Runs one of PostgreSQL's programs to its end.</summary>
    private async Task RunAsync(string program, IReadOnlyList<string> arguments)
    {
        var start = Command(PathOf(program), arguments);
        start.RedirectStandardOutput = true;
        start.RedirectStandardError = true;
        using var run = Process.Start(start) ?? throw new InvalidOperationException($"{program} did not start.");
        var output = run.StandardOutput.ReadToEndAsync();
        var errors = await run.StandardError.ReadToEndAsync();
        await run.WaitForExitAsync();
        if (run.ExitCode != 0) throw new InvalidOperationException($"{program} ended with {run.ExitCode}: {errors}{await output}");
    }

    private ProcessStartInfo Command(string program, IReadOnlyList<string> arguments) => Environment.UserName == "root"
        ? new("setpriv", ["--reuid", Superuser, "--regid", Superuser, "--init-groups", program, .. arguments]) { UseShellExecute = false, WorkingDirectory = Folder }
        : new(program, arguments) { UseShellExecute = false, WorkingDirectory = Folder };

    /// <summary>Debian keeps the server's programs off the PATH, one folder a version; the newest is taken.</summary>
    private static string PathOf(string program) => Directory.Exists("/usr/lib/postgresql")
        ? Directory.GetDirectories("/usr/lib/postgresql").OrderByDescending(folder => int.TryParse(Path.GetFileName(folder), out var version) ? version : 0)
            .Select(folder => Path.Combine(folder, "bin", program)).FirstOrDefault(File.Exists) ?? program
        : program;

    /// <summary>Below the ports that the system gives to outgoing connections: it must be free again at the next start.</summary>
    private static int FreePort()
    {
        while (true)
        {
            var port = RandomNumberGenerator.GetInt32(20_000, 32_000);
            try
            {
                using var listener = new TcpListener(IPAddress.Loopback, port);
                listener.Start();
                return port;
            }
            catch (SocketException)
            {
                // Somebody's.
            }
        }
    }

    private static List<int> ChildrenOf(int processId) =>
        [.. Directory.GetDirectories("/proc").Select(Path.GetFileName).Where(name => int.TryParse(name, out _)).Select(name => int.Parse(name!)).Where(id => StatOf(id)?.Parent == processId)];

    /// <summary>State and parent stand behind the name, which stands in parentheses and may hold anything.</summary>
    private static (char State, int Parent)? StatOf(int processId)
    {
        try
        {
            var stat = File.ReadAllText($"/proc/{processId}/stat");
            var fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
            return (fields[0][0], int.Parse(fields[1]));
        }
        catch (IOException)
        {
            return null;
        }
    }
}

/// <summary>Ends the shared server with the last test of the run.</summary>
public sealed class PostgresServerOfTheRun : IAsyncDisposable
{
    public async ValueTask DisposeAsync() => await PostgresServer.EndSharedAsync();
}
