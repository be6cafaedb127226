using System.CommandLine;
using TrackMate.Manage;

namespace TrackMate.Host.Commands;

/// <summary><c>trackmate health</c>: for supervisors that run a program instead of calling an address, such as a container's.</summary>
internal static class HealthCommand
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    public static Command Create()
    {
        var url = ServerAddress.Option();
        var command = new Verb("health", "Check that a running server is ready. Exit code 1 if it is not.")
        {
            Examples = ["trackmate health", "trackmate health --url http://127.0.0.1:5080"],
            Options = { url },
        };
        command.SetAction(async (parsed, cancel) =>
        {
            var address = ServerAddress.Of(parsed.GetValue(url));
            using var http = new HttpClient { BaseAddress = address, Timeout = Patience };
            try
            {
                using var answer = await http.GetAsync("/health/ready", cancel);
                Console.WriteLine(await answer.Content.ReadAsStringAsync(cancel));
                return answer.IsSuccessStatusCode ? 0 : throw new CommandFailedException($"The server at {address} is not ready; see its log.");
            }
            catch (Exception e) when (e is HttpRequestException || (e is TaskCanceledException && !cancel.IsCancellationRequested))
            {
                throw new CommandFailedException($"No server answers at {address}: {e.Message}");
            }
        });
        return command;
    }
}
