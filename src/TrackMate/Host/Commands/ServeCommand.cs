using System.CommandLine;
using System.Data.Common;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using TrackMate.Manage;
using TrackMate.Show;
using TrackMate.Store.Sql;
using TrackMate.Store.Sql.Sqlite;

namespace TrackMate.Host.Commands;

/// <summary><c>trackmate serve</c>: runs the server until it is told to stop.</summary>
internal static class ServeCommand
{
    public static Command Create()
    {
        var command = new Verb("serve", "Start the server (the default command). Settings are environment variables; see docs/operate.md.")
        {
            StopsItself = true,
            Examples = ["trackmate serve", "TRACKMATE_DATA=/var/lib/trackmate TRACKMATE_URLS=http://0.0.0.0:5080 trackmate serve"],
        };
        command.SetAction((_, cancel) => Run(cancel));
        return command;
    }

    public static async Task<int> Run(CancellationToken cancel)
    {
        var options = ServerOptions.FromEnvironment(Environment.GetEnvironmentVariable);
        try
        {
            options.Installation.RequireFinishedMove();
            await using var app = Server.Build(options, TimeProvider.System);
            await app.StartAsync(cancel);
            // Secrets are created and printed only after the server listens. If the start fails, the next start creates them.
            var first = FirstStart.Ensure(app.Services.GetRequiredService<Registry>(), new(options.CompanyId, options.ApiKey, options.AdminPassword));
            app.Services.GetRequiredService<StartGate>().Open();
            Telemetry.ShowZeros();
            Console.WriteLine(Welcome(first, AddressOf(app) + options.PathBase, options.PublicUrl, options.Installation.Engine.Place));
            await app.WaitForShutdownAsync(cancel);
            return 0;
        }
        catch (IOException e) when (e.InnerException is AddressInUseException)
        {
            throw new CommandFailedException($"{e.Message} Is another program listening there? Choose another address with TRACKMATE_URLS.");
        }
        catch (IOException e) when (FolderLock.IsHeld(e))
        {
            throw new CommandFailedException($"Another TrackMate server is running on the data folder {options.Installation.DataFolder}; stop that one, or choose another folder with TRACKMATE_DATA.");
        }
        catch (Exception e) when (e is DbException or StoreUnavailableException)
        {
            throw new CommandFailedException(options.Installation.Engine.CannotBeUsed(e));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or NotSupportedException)
        {
            throw new CommandFailedException($"{options.Installation.Engine.Name} cannot be used: {e.Message}");
        }
    }

    private static string AddressOf(WebApplication app)
    {
        var addresses = app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses;
        return ServerAddress.Reachable(addresses.First());
    }

    private static string Welcome(FirstStart first, string url, string? publicUrl, string place)
    {
        var text = new System.Text.StringBuilder();
        text.AppendLine().AppendLine($"  TrackMate {Health.Version} is running.").AppendLine();
        text.AppendLine($"  Dashboard   {url}{(publicUrl is null ? "" : $" (for browsers: {publicUrl})")}");
        text.AppendLine($"  Data        {place}");
        text.AppendLine($"  Company     {first.Company.CompanyId}");
        if (first.AdminPassword is { } password) text.AppendLine($"  Login       {FirstStart.AdminName}").AppendLine($"  Password    {password}");
        if (first.ApiKey is { } key) text.AppendLine($"  API key     {key}");
        if (first.AdminPassword is not null || first.ApiKey is not null)
        {
            text.AppendLine().AppendLine("  These secrets are shown this once; only their hashes are kept.");
            text.AppendLine().AppendLine("  Paste this into your pages:").AppendLine();
            foreach (var line in Snippet.For(first.Company.CompanyId, publicUrl ?? url).Split('\n')) text.AppendLine("    " + line);
        }

        return text.ToString();
    }
}
