using System.CommandLine;
using System.Globalization;
using TrackMate.Host;
using TrackMate.Host.Commands;

CultureInfo.DefaultThreadCurrentCulture = CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;

var trackmate = new RootCommand("TrackMate: one timeline of everything that happened, for each of your customers.")
{
    ServeCommand.Create(),
};
trackmate.SetAction((_, cancel) => ServeCommand.Run(cancel));

try
{
    return await trackmate.Parse(args).InvokeAsync(new InvocationConfiguration { EnableDefaultExceptionHandler = false });
}
catch (InvalidSettingException e)
{
    Console.Error.WriteLine(e.Message);
    return 2;
}
