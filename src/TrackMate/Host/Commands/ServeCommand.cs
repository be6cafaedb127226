using System.CommandLine;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using TrackMate.Manage;
using TrackMate.Store.Sqlite;

namespace TrackMate.Host.Commands;

/// <summary><c>trackmate serve</c>: the server, until it is told to stop.</summary>
internal static class ServeCommand
{
    public static Command Create()
    {
        var command = new Command("serve", "Start the server (what trackmate does when no verb is given).");
        command.SetAction((_, cancel) => Run(cancel));
        return command;
    }

    public static async Task<int> Run(CancellationToken cancel)
    {
        var options = ServerOptions.FromEnvironment(Environment.GetEnvironmentVariable);
        await using var app = Server.Build(options, TimeProvider.System);
        FirstStart first;
        try
        {
            // The store first: it holds the folder's lock, and nothing is made in a folder that another server holds.
            app.Services.GetRequiredService<SqliteStore>();
            first = FirstStart.Ensure(app.Services.GetRequiredService<Registry>(), options);
            await app.StartAsync(cancel);
        }
        catch (IOException e)
        {
            return Fail(e.InnerException is Microsoft.AspNetCore.Connections.AddressInUseException
                ? $"{e.Message} Is another program listening there? Choose another address with TRACKMATE_URLS."
                : $"The data folder {options.DataFolder} cannot be used: {(IsHeld(e) ? "another TrackMate server is running on it" : e.Message)}. Stop that server, or choose another folder with TRACKMATE_DATA.");
        }
        catch (Exception e) when (e is UnauthorizedAccessException or Microsoft.Data.Sqlite.SqliteException or NotSupportedException)
        {
            return Fail($"The data folder {options.DataFolder} cannot be used: {e.Message}");
        }

        Console.WriteLine(Welcome(first, AddressOf(app), options.DataFolder));
        await app.WaitForShutdownAsync(cancel);
        return 0;
    }

    private static int Fail(string message)
    {
        Console.Error.WriteLine(message);
        return 1;
    }

    private static bool IsHeld(IOException e) => e.Message.Contains("being used by another process", StringComparison.Ordinal);

    private static string AddressOf(WebApplication app)
    {
        var addresses = app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses;
        return addresses.First().Replace("0.0.0.0", "127.0.0.1").Replace("[::]", "127.0.0.1").Replace("+", "127.0.0.1").Replace("*", "127.0.0.1").TrimEnd('/');
    }

    private static string Welcome(FirstStart first, string url, string dataFolder)
    {
        var text = new System.Text.StringBuilder();
        text.AppendLine().AppendLine($"  TrackMate {Health.Version} is running.").AppendLine();
        text.AppendLine($"  Dashboard   {url}");
        text.AppendLine($"  Data        {dataFolder}");
        text.AppendLine($"  Company     {first.Company.CompanyId}");
        if (first.AdminPassword is { } password) text.AppendLine($"  Login       {FirstStart.AdminName}").AppendLine($"  Password    {password}");
        if (first.ApiKey is { } key) text.AppendLine($"  API key     {key}");
        if (first.AdminPassword is not null || first.ApiKey is not null)
        {
            text.AppendLine().AppendLine("  These secrets are shown this once; only their hashes are kept.");
            text.AppendLine().AppendLine("  Paste this into your pages:").AppendLine();
            foreach (var line in Snippet.For(first.Company.CompanyId, url).Split('\n')) text.AppendLine("    " + line);
        }

        return text.ToString();
    }
}
